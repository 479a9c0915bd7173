{{- define "lumo-broker.webhookConfig" -}}
{{- $name := include "lumo-broker.fullname" . -}}
roles: [webhook]
webhook:
  listen: '[::]:{{ int .Values.webhook.port }}'
  authority:
    url: {{ include "lumo-broker.authorityURL" . | quote }}
    tenant: {{ .Values.tenant | quote }}
    {{- if .Values.authority.serverCA }}
    trust: file
    caFile: /etc/lumo/config/authority-ca.crt
    {{- else if not .Values.authority.enabled }}
    trust: system
    {{- end }}
  proofAudience: {{ include "lumo-broker.proofAudience" . | quote }}
  sidecar:
    image: {{ include "lumo-broker.image" . | quote }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    imagePullSecrets: {{ toJson .Values.sidecar.imagePullSecrets }}
    resources: {{ include "lumo-broker.sidecarResources" . }}
    logLevel: {{ .Values.sidecar.logLevel }}
  meshProxies: {{ toJson .Values.webhook.meshProxies }}
  {{- if .Values.node.enabled }}
  nodeBroker:
    url: https://{{ include "lumo-broker.host" (list . "node") }}:9180
  {{- else if and .Values.authority.enabled .Values.authority.allInOne }}
  nodeBroker:
    url: https://{{ include "lumo-broker.host" (list . "authority") }}:9180
  {{- end }}
  defaultMode: {{ .Values.webhook.defaultMode }}
  certificates:
    {{- if eq .Values.certificates.source "own" }}
    own:
      namespace: {{ .Release.Namespace | quote }}
      caSecret: {{ $name }}-ca
      lease: {{ $name }}-webhook
      leaves: {{- include "lumo-broker.leaves" . | nindent 8 }}
      webhookConfigurations: [{{ include "lumo-broker.clusterName" . | quote }}]
    {{- else }}
    files:
      tls:
        certFile: /etc/lumo/tls/tls.crt
        keyFile: /etc/lumo/tls/tls.key
      caFile: /etc/lumo/tls/ca.crt
    {{- end }}
{{- end }}

{{/* As texts: people write `cpu: 1`. */}}
{{- define "lumo-broker.sidecarResources" -}}
{{- $resources := dict -}}
{{- range $kind, $amounts := .Values.sidecar.resources -}}
{{- $texts := dict -}}
{{- range $of, $amount := $amounts -}}
{{- $_ := set $texts $of (toString $amount) -}}
{{- end -}}
{{- $_ := set $resources $kind $texts -}}
{{- end -}}
{{- toJson $resources -}}
{{- end }}
