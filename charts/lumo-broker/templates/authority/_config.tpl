{{- define "lumo-broker.authorityConfig" -}}
{{- $name := include "lumo-broker.fullname" . -}}
roles: [authority]
authority:
  listen: '[::]:9170'
  origin: {{ include "lumo-broker.origin" . }}
  tls:
    certFile: /etc/lumo/tls/tls.crt
    keyFile: /etc/lumo/tls/tls.key
  store:
    file: /var/lib/lumo/authority.sqlite
  keyEncryptionSecret:
    namespace: {{ .Release.Namespace }}
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
{{- end }}
