{{- define "lumo-broker.authorityConfig" -}}
{{- $name := include "lumo-broker.fullname" . -}}
roles: {{ ternary (list "authority" "broker") (list "authority") .Values.authority.allInOne | toJson }}
authority:
  listen: '[::]:9170'
  origin: {{ include "lumo-broker.origin" . | quote }}
  tls:
    certFile: /etc/lumo/tls/tls.crt
    keyFile: /etc/lumo/tls/tls.key
  store:
    {{- if .Values.authority.postgresql.secretName }}
    postgresUrlFile: /etc/lumo/postgresql/url
    {{- else }}
    file: /var/lib/lumo/authority.sqlite
    {{- end }}
  keyEncryptionSecret:
    namespace: {{ .Release.Namespace | quote }}
    name: {{ $name }}-key-encryption
  tenants:
    - slug: {{ .Values.tenant | quote }}
      policy: /etc/lumo/policy
      providers:
        - name: {{ .Values.clusterName | quote }}
          kind: kubernetes
          issuers: [{{ .Values.cluster.issuer | quote }}]
          audiences: [{{ include "lumo-broker.proofAudience" . | quote }}]
          tokenReview: {{ .Values.cluster.tokenReview | quote }}
          {{- with .Values.cluster.keys }}
          keys: {{- toYaml . | nindent 12 }}
          {{- end }}
        {{- with .Values.authority.extraProviders }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      clientFiles: /etc/lumo/clients
{{- if .Values.authority.allInOne }}
broker:
  shape: all-in-one
  tls:
    certFile: /etc/lumo/tls/tls.crt
    keyFile: /etc/lumo/tls/tls.key
  hosts:
    {{- range include "lumo-broker.hosts" (list . "authority") | fromYamlArray }}
    - {{ . }}:9180
    {{- end }}
  authority:
    tenant: {{ .Values.tenant | quote }}
  proof:
    source: caller
    audience: {{ include "lumo-broker.proofAudience" . | quote }}
{{- end }}
{{- end }}
