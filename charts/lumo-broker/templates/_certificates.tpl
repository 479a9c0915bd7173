{{/* Names of the Secrets with the certificates of what is served, as a YAML list. */}}
{{- define "lumo-broker.leafSecrets" -}}
{{- range include "lumo-broker.leaves" . | fromYamlArray }}
- {{ .secret }}
{{- end }}
{{- end }}

{{/* The certificates: the Secret, its names, and whether it is the webhook's own, as in webhook.certificates.own.leaves. */}}
{{- define "lumo-broker.leaves" -}}
{{- $name := include "lumo-broker.fullname" . -}}
{{- if .Values.authority.enabled }}
- secret: {{ $name }}-authority-tls
  dnsNames:
    {{- $hosts := include "lumo-broker.hosts" (list . "authority") | fromYamlArray }}
    {{- $known := regexReplaceAll ":[0-9]+$" (urlParse (include "lumo-broker.origin" .)).host "" }}
    {{- concat $hosts (list $known) .Values.authority.dnsNames | uniq | toYaml | nindent 4 }}
{{- end }}
{{- if .Values.webhook.enabled }}
- secret: {{ $name }}-webhook-tls
  own: true
  dnsNames: {{- include "lumo-broker.hosts" (list . "webhook") | nindent 4 }}
{{- end }}
{{- if .Values.node.enabled }}
- secret: {{ $name }}-broker-tls
  dnsNames: {{- include "lumo-broker.hosts" (list . "node") | nindent 4 }}
{{- end }}
{{- end }}
