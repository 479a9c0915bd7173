{{- define "lumo-broker.nodeConfig" -}}
roles: [broker]
broker:
  shape: node
  tls:
    certFile: /etc/lumo/tls/tls.crt
    keyFile: /etc/lumo/tls/tls.key
  hosts:
    {{- range include "lumo-broker.hosts" (list . "node") | fromYamlArray }}
    - {{ . }}
    - {{ . }}:9180
    {{- end }}
  authority:
    url: {{ include "lumo-broker.authorityURL" . | quote }}
    tenant: {{ .Values.tenant | quote }}
    {{- if .Values.authority.enabled }}
    caFile: /etc/lumo/tls/ca.crt
    {{- else if .Values.authority.serverCA }}
    caFile: /etc/lumo/config/authority-ca.crt
    {{- end }}
  proof:
    audience: {{ include "lumo-broker.proofAudience" . | quote }}
  callers:
    providers:
      - name: {{ .Values.clusterName | quote }}
        kind: kubernetes
        issuers: [{{ .Values.cluster.issuer | quote }}]
        {{- with .Values.cluster.keys }}
        keys: {{- toYaml . | nindent 10 }}
        {{- end }}
{{- end }}
