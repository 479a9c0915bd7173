{{/*
Texts that have the wrong form, each with a sentence: the schema would show its regular expression and no more. All of them are named at
once.
*/}}
{{- define "lumo-broker.checkForms" -}}
{{- $faults := list -}}
{{- range include "lumo-broker.forms" . | fromYamlArray -}}
{{- if not (regexMatch (index . 2) (index . 1)) -}}
{{- $faults = append $faults (printf "%s is %s: %s." (index . 0) (regexReplaceAll "//[^/@]*@" (index . 1) "//…@" | quote) (index . 3)) -}}
{{- end -}}
{{- end -}}
{{- with $faults -}}
{{- fail (join "\n" .) -}}
{{- end -}}
{{- end }}

{{/* As JSON, a list for each text: where it is, what it is, what it has to look like, and what to do. */}}
{{- define "lumo-broker.forms" -}}
{{- $slug := "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?" -}}
{{- $host := printf `%s(\.%s)*` $slug $slug -}}
{{- $port := "(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?" -}}
{{- $issuer := printf "^$|^https://%s%s/t/%s/api/v1$" $host $port $slug -}}
{{- $registry := `^$|^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[a-z0-9._/-]*[a-z0-9])?$` -}}
{{- $ofRegistry := "give host and port alone, and a path if there is one, without https://, such as registry.example.com:5000" -}}
{{- $ofProxy := "give http:// or https://, host and port, such as http://proxy.example.com:3128" -}}
{{- $ofAudience := "give printable ASCII without spaces, such as the URL of the API" -}}
{{- $audience := `^[\x21-\x7e]*$` -}}
{{- $proxy := `^$|^https?://[^/\s]+/?$` -}}
{{- $forms := list
  (list "tenant" .Values.tenant (printf "^%s$" $slug) "give the slug of the tenant, in lower case letters, digits and dashes, such as acme-corp")
  (list "issuerURL" .Values.issuerURL $issuer (printf "give the whole issuer of the tenant, such as https://auth.example.com/t/%s/api/v1, in https and small letters, without a slash at the end" .Values.tenant))
  (list "clusterName" .Values.clusterName "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$" "give letters, digits, dots, dashes and underscores, with a letter or digit first, such as prod-eu")
  (list "proofAudience" .Values.proofAudience $audience $ofAudience)
  (list "cluster.issuer" .Values.cluster.issuer `^https://\S+$` "give the issuer of the cluster's tokens as kubectl get --raw /.well-known/openid-configuration shows it, an https URL")
  (list "image.registry" (default "" .Values.image.registry) $registry $ofRegistry)
  (list "global.imageRegistry" (default "" .Values.global.imageRegistry) $registry $ofRegistry)
  (list "authority.proxy.url" .Values.authority.proxy.url $proxy $ofProxy)
  (list "node.proxy.url" .Values.node.proxy.url $proxy $ofProxy)
  (list "authority.persistence.size" .Values.authority.persistence.size `^[0-9]+(\.[0-9]+)?([EPTGMk]|[EPTGMK]i)?$` "give a number and a unit without a space between, such as 5Gi")
  (list "metrics.podMonitor.interval" .Values.metrics.podMonitor.interval "^[0-9]+(ms|s|m|h)$" "give a number and a unit without a space between, such as 30s")
  (list "helmTest.audience" .Values.helmTest.audience $audience $ofAudience)
-}}
{{- range $index, $name := .Values.authority.dnsNames -}}
{{- $forms = append $forms (list (printf "authority.dnsNames[%d]" $index) $name (printf "^%s$" $host) "give a whole name in lower case, without a star, a port and a dot at the end, such as auth.example.com") -}}
{{- end -}}
{{- $networks := dict "webhook.apiServerCIDRs" .Values.webhook.apiServerCIDRs -}}
{{- range list "apiServerCIDRs" "postgresqlCIDRs" "authorityCIDRs" -}}
{{- $networks = set $networks (printf "networkPolicy.%s" .) (get $.Values.networkPolicy .) -}}
{{- end -}}
{{- $cidr := include "lumo-broker.cidr" . -}}
{{- range $name, $list := $networks -}}
{{- range $index, $network := $list -}}
{{- $forms = append $forms (list (printf "%s[%d]" $name $index) $network $cidr "give an address, a slash and the number of its bits, such as 10.0.0.0/8, for one address 10.0.0.1/32") -}}
{{- end -}}
{{- end -}}
{{- toJson $forms -}}
{{- end }}

{{/* What a CIDR of IPv4 or IPv6 looks like (RFC 4632; RFC 4291, sections 2.2 and 2.3). */}}
{{- define "lumo-broker.cidr" -}}
{{- $byte := "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])" -}}
{{- $group := "[0-9a-fA-F]{1,4}" -}}
{{- $addresses := list (printf "(%s:){7}%s" $group $group) (printf "(%s:){1,7}:" $group) (printf ":(:%s){1,7}" $group) "::" -}}
{{- range $after := untilStep 1 7 1 -}}
{{- $addresses = append $addresses (printf "(%s:){1,%d}(:%s){1,%d}" $group (sub 7 $after) $group $after) -}}
{{- end -}}
{{- printf `^((%s\.){3}%s/([12]?[0-9]|3[0-2])|(%s)/([1-9]?[0-9]|1[01][0-9]|12[0-8]))$` $byte $byte (join "|" $addresses) -}}
{{- end }}
