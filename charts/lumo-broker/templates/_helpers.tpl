{{- define "lumo-broker.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* Names are made of it with up to 15 characters more, and the controller of a StatefulSet adds 11 to "{it}-authority" in a label. */}}
{{- define "lumo-broker.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 42 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "lumo-broker.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 42 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 42 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Of what has no namespace: a release of the same name in another namespace is another. */}}
{{- define "lumo-broker.clusterName" -}}
{{- printf "%s.%s" (include "lumo-broker.fullname" .) .Release.Namespace -}}
{{- end }}

{{/* A sentence where the cluster has the webhook of another release already. Takes (list root configurations). */}}
{{- define "lumo-broker.otherRelease" -}}
{{- $root := index . 0 -}}
{{- $own := include "lumo-broker.clusterName" $root -}}
{{- range index . 1 -}}
{{- $webhooks := list -}}
{{- range default list .webhooks -}}
{{- $webhooks = append $webhooks .name -}}
{{- end -}}
{{- $by := default dict .metadata.annotations -}}
{{- /* Under a name of before: fullnameOverride may change. */ -}}
{{- $before := and (eq $root.Release.Name (get $by "meta.helm.sh/release-name")) (eq $root.Release.Namespace (get $by "meta.helm.sh/release-namespace")) -}}
{{- if and (has "inject.lumoauth.dev" $webhooks) (ne .metadata.name $own) (not $before) -}}
{{- printf "this cluster has a lumo-broker already (MutatingWebhookConfiguration %s), and one webhook alone can serve labelled pods: upgrade that release, uninstall it first, or set webhook.enabled to false and certificates.source to cert-manager here." .metadata.name -}}
{{- break -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "lumo-broker.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* Takes (list root component). */}}
{{- define "lumo-broker.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "lumo-broker.name" $root | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Takes (list root component), or (list root component labels) where it has more of its own. */}}
{{- define "lumo-broker.labels" -}}
{{- $root := index . 0 -}}
{{- $more := dict }}
{{- if gt (len .) 2 }}
{{- $more = default dict (index . 2) }}
{{- end -}}
{{ include "lumo-broker.selectorLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ include "lumo-broker.chart" $root }}
{{- with mergeOverwrite (deepCopy (default dict $root.Values.commonLabels)) $more }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "lumo-broker.image" -}}
{{- $image := .Values.image -}}
{{- $registry := default $image.registry .Values.global.imageRegistry -}}
{{- $name := ternary $image.repository (printf "%s/%s" $registry $image.repository) (empty $registry) -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end }}

{{/* Takes (list root component): a Service's name inside of the cluster. */}}
{{- define "lumo-broker.host" -}}
{{- printf "%s-%s.%s.svc" (include "lumo-broker.fullname" (index . 0)) (index . 1) (index . 0).Release.Namespace -}}
{{- end }}

{{/* Every name of a Service, as a YAML list. Takes (list root component). */}}
{{- define "lumo-broker.hosts" -}}
{{- $host := include "lumo-broker.host" . -}}
{{- list $host (printf "%s.%s" $host (index . 0).Values.cluster.domain) (trimSuffix ".svc" $host) | toYaml -}}
{{- end }}

{{- define "lumo-broker.issuer" -}}
{{- $own := printf "https://%s:9170/t/%s/api/v1" (include "lumo-broker.host" (list . "authority")) .Values.tenant -}}
{{- default $own .Values.issuerURL -}}
{{- end }}

{{/* The authority's origin as the world knows it: what is before /t/. */}}
{{- define "lumo-broker.origin" -}}
{{- include "lumo-broker.issuer" . | splitList "/t/" | first -}}
{{- end }}

{{/* The origin at which it is asked from inside of the cluster. */}}
{{- define "lumo-broker.authorityURL" -}}
{{- if .Values.authority.enabled -}}
https://{{ include "lumo-broker.host" (list . "authority") }}:9170
{{- else -}}
{{- include "lumo-broker.origin" . -}}
{{- end -}}
{{- end }}

{{- define "lumo-broker.authorityReplicas" -}}
{{- default (ternary 2 1 (not (empty .Values.authority.postgresql.secretName))) .Values.authority.replicas | int -}}
{{- end }}

{{- define "lumo-broker.proofAudience" -}}
{{- default (printf "%s#%s" (include "lumo-broker.issuer" .) .Values.clusterName) .Values.proofAudience -}}
{{- end }}
