{{/*
The rules of one direction, of the table files/flows.yaml. Takes (list root component direction), where direction is "ingress" or
"egress".
*/}}
{{- define "lumo-broker.flows" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $ingress := eq (index . 2) "ingress" -}}
{{- range $flow := ($root.Files.Get "files/flows.yaml" | fromYaml).flows }}
{{- $self := ternary $flow.to $flow.from $ingress }}
{{- $peer := ternary $flow.from $flow.to $ingress }}
{{- if and (eq $self $component) (include "lumo-broker.flowHolds" (list $root $component $peer $flow.where)) }}
- ports:
    {{- range $port := include "lumo-broker.flowPorts" (list $root $component $flow.ports) | fromYamlArray }}
    - { port: {{ $port }}, protocol: {{ default "TCP" $flow.protocol }} }
    {{- end }}
  {{- with include "lumo-broker.flowPeers" (list $root $peer $ingress) | trim }}
  {{ ternary "from" "to" $ingress }}:
    {{- . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Not empty where the other end is there at all. */}}
{{- define "lumo-broker.flowHolds" -}}
{{- $values := (index . 0).Values -}}
{{- $component := index . 1 -}}
{{- $peer := index . 2 -}}
{{- /* Keys of the cluster from elsewhere than its API server or a text. */ -}}
{{- $fetched := or $values.cluster.keys.discovery $values.cluster.keys.jwksUrl -}}
{{- $where := index . 3 -}}
{{- if and (eq (toString $where) "allInOne") (not $values.authority.allInOne) -}}
{{- else if and (eq (toString $where) "postgresql") (not $values.authority.postgresql.secretName) -}}
{{- else if eq $peer "outside" -}}
{{- if $values.networkPolicy.authorityCIDRs }}yes{{ end -}}
{{- else if eq $peer "authority" -}}
{{- if $values.authority.enabled }}yes{{ end -}}
{{- else if eq $peer "remote" -}}
{{- if eq $component "node" -}}
{{- if or (not $values.authority.enabled) $fetched }}yes{{ end -}}
{{- else if or $values.authority.extraProviders $values.authority.proxy.url $fetched -}}
yes
{{- end -}}
{{- else -}}
yes
{{- end -}}
{{- end }}

{{- define "lumo-broker.flowPorts" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- range $port := index . 2 }}
{{- if eq (toString $port) "webhook" }}
- {{ int $root.Values.webhook.port }}
{{- else if eq (toString $port) "apiServer" }}
{{- range $root.Values.networkPolicy.apiServerPorts }}
- {{ int . }}
{{- end }}
{{- else if eq (toString $port) "postgresql" }}
- {{ int $root.Values.authority.postgresql.port }}
{{- else if eq (toString $port) "remote" }}
{{- $ports := list 443 }}
{{- with (get $root.Values $component).proxy.url }}
{{- $ports = append $ports (include "lumo-broker.portOf" . | int) }}
{{- end }}
{{- $urls := compact (list (ternary $root.Values.cluster.issuer "" (eq true $root.Values.cluster.keys.discovery))) }}
{{- if eq $component "authority" }}
{{- range $root.Values.authority.extraProviders }}
{{- $urls = concat $urls (default list .issuers) (compact (list (dig "keys" "jwksUrl" "" .) .stsEndpoint)) }}
{{- end }}
{{- end }}
{{- range $urls }}
{{- $ports = append $ports (include "lumo-broker.portOf" . | int) }}
{{- end }}
{{- with $root.Values.cluster.keys.jwksUrl }}
{{- $ports = append $ports (include "lumo-broker.portOf" . | int) }}
{{- end }}
{{- if not $root.Values.authority.enabled }}
{{- $ports = append $ports (include "lumo-broker.portOf" (include "lumo-broker.origin" $root) | int) }}
{{- end }}
{{- range uniq $ports }}
- {{ . }}
{{- end }}
{{- else }}
- {{ int $port }}
{{- end }}
{{- end }}
{{- end }}

{{- define "lumo-broker.portOf" -}}
{{- $written := regexFind "^[a-z]+://[^/?#]*" . | regexFind ":[0-9]+$" | trimPrefix ":" -}}
{{- default (ternary "80" "443" (hasPrefix "http://" .)) $written -}}
{{- end }}

{{/* Nothing stands for anywhere. Takes (list root peer ingress). */}}
{{- define "lumo-broker.flowPeers" -}}
{{- $root := index . 0 -}}
{{- $peer := index . 1 -}}
{{- if has $peer (list "authority" "webhook" "node") }}
- podSelector:
    matchLabels:
      {{- include "lumo-broker.selectorLabels" (list $root $peer) | nindent 6 }}
{{- else if eq $peer "pods" }}
- namespaceSelector: {}
{{- else if eq $peer "scrapers" }}
{{- with $root.Values.networkPolicy.metricsNamespaces }}
- namespaceSelector:
    matchExpressions:
      - { key: kubernetes.io/metadata.name, operator: In, values: {{ toJson . }} }
{{- else }}
- namespaceSelector: {}
{{- end }}
{{- else if and (eq $peer "apiServer") (not (index . 2)) }}
{{- range $root.Values.networkPolicy.apiServerCIDRs }}
- ipBlock: { cidr: {{ . | quote }} }
{{- end }}
{{- else if eq $peer "postgresql" }}
{{- range $root.Values.networkPolicy.postgresqlCIDRs }}
- ipBlock: { cidr: {{ . | quote }} }
{{- end }}
{{- else if or (eq $peer "outside") (and (eq $peer "apiServer") (index . 2)) }}
{{- range ternary $root.Values.networkPolicy.authorityCIDRs $root.Values.webhook.apiServerCIDRs (eq $peer "outside") }}
- ipBlock: { cidr: {{ . | quote }} }
{{- end }}
{{- end }}
{{- end }}
