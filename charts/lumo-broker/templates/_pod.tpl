{{/* What all pods have in common. Takes (list root component values). */}}
{{- define "lumo-broker.pod" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := index . 2 -}}
serviceAccountName: {{ include "lumo-broker.fullname" $root }}-{{ $component }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with concat $root.Values.global.imagePullSecrets $root.Values.image.pullSecrets | uniq }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{/* What all containers have in common. Takes (list root values). */}}
{{- define "lumo-broker.container" -}}
image: {{ include "lumo-broker.image" (index . 0) | quote }}
imagePullPolicy: {{ (index . 0).Values.image.pullPolicy }}
args: [run]
# So that `kubectl describe pod` shows why it does not start.
terminationMessagePolicy: FallbackToLogsOnError
startupProbe:
  httpGet: { path: /startupz, port: operations }
  periodSeconds: 1
  failureThreshold: 120
readinessProbe:
  httpGet: { path: /readyz, port: operations }
  periodSeconds: 5
livenessProbe:
  httpGet: { path: /healthz, port: operations }
  periodSeconds: 10
resources: {{- toYaml (index . 1).resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* Annotations and labels of pods. Takes (list root component values). */}}
{{- define "lumo-broker.podMetadata" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := index . 2 -}}
labels:
  {{- include "lumo-broker.labels" (list $root $component $values.podLabels) | nindent 2 }}
annotations:
  # Its configuration is read at the start only.
  checksum/config: {{ include (printf "%s/%s/configmap.yaml" $root.Template.BasePath $component) $root | sha256sum }}
  {{- with $values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* Variables of a component that fetches from outside of the cluster. Takes (list root values). */}}
{{- define "lumo-broker.remoteEnv" -}}
{{- $root := index . 0 -}}
{{- $values := index . 1 -}}
{{- with $values.proxy.url }}
- name: HTTPS_PROXY
  value: {{ . | quote }}
- name: NO_PROXY
  value: {{ concat (list ".svc" (printf ".%s" $root.Values.cluster.domain) "$(KUBERNETES_SERVICE_HOST)" "localhost" "127.0.0.1" "::1") $values.proxy.noProxy | join "," | quote }}
{{- end }}
{{- if $values.caBundle }}
- name: NODE_EXTRA_CA_CERTS
  value: /etc/lumo/config/extra-ca.crt
{{- end }}
{{- end }}

{{/* Its own token for the API server, and the CA to trust there. */}}
{{- define "lumo-broker.apiAccess" -}}
- name: api-access
  projected:
    sources:
      - serviceAccountToken: { path: token, expirationSeconds: 3600 }
      - configMap: { name: kube-root-ca.crt, items: [{ key: ca.crt, path: ca.crt }] }
{{- end }}
