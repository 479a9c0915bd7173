{{/* The pod of the authority, whether a StatefulSet makes it or a Deployment. */}}
{{- define "lumo-broker.authorityPod" -}}
{{- $name := include "lumo-broker.fullname" . -}}
{{- $own := .Values.authority -}}
metadata:
  {{- include "lumo-broker.podMetadata" (list . "authority" $own) | nindent 2 }}
spec:
  {{- include "lumo-broker.pod" (list . "authority" $own) | nindent 2 }}
  # 10 s in which connections still come in, 15 s for what runs, and room to spare.
  terminationGracePeriodSeconds: 40
  {{- with default (include "lumo-broker.authoritySpread" . | fromYamlArray) $own.topologySpreadConstraints }}
  topologySpreadConstraints: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: authority
      {{- include "lumo-broker.container" (list . $own) | nindent 6 }}
      env:
        - { name: LUMO_CONFIG, value: /etc/lumo/config/config.yaml }
        {{- include "lumo-broker.remoteEnv" (list . $own) | nindent 8 }}
        {{- with $own.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - name: https
          containerPort: 9170
        {{- if $own.allInOne }}
        - name: broker
          containerPort: 9180
        {{- end }}
        - name: operations
          containerPort: 9190
      volumeMounts:
        - { name: config, mountPath: /etc/lumo/config, readOnly: true }
        - { name: policy, mountPath: /etc/lumo/policy, readOnly: true }
        - { name: clients, mountPath: /etc/lumo/clients, readOnly: true }
        - { name: tls, mountPath: /etc/lumo/tls, readOnly: true }
        - { name: api-access, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true }
        {{- if $own.postgresql.secretName }}
        - { name: postgresql, mountPath: /etc/lumo/postgresql, readOnly: true }
        {{- else }}
        - { name: state, mountPath: /var/lib/lumo }
        {{- end }}
  volumes:
    - name: config
      configMap: { name: {{ $name }}-authority }
    - name: policy
      configMap: { name: {{ $name }}-policy }
    - name: clients
      configMap: { name: {{ $name }}-clients }
    # By name, so that the pod waits until the Secret has them.
    - name: tls
      secret:
        secretName: {{ $name }}-authority-tls
        items:
          - { key: tls.crt, path: tls.crt }
          - { key: tls.key, path: tls.key }
    {{- with $own.postgresql.secretName }}
    - name: postgresql
      secret:
        secretName: {{ . | quote }}
        items:
          - { key: {{ $own.postgresql.key | quote }}, path: url }
    {{- end }}
    # For the cluster's keys, and for the Secret that its own keys are encrypted with.
    {{- include "lumo-broker.apiAccess" . | nindent 4 }}
{{- end }}

{{/* Several are spread over nodes where that is possible. */}}
{{- define "lumo-broker.authoritySpread" -}}
{{- if .Values.authority.postgresql.secretName -}}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "lumo-broker.selectorLabels" (list . "authority") | nindent 6 }}
{{- else -}}
[]
{{- end -}}
{{- end }}
