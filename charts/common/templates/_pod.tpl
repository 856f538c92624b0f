{{/*
A pod template of a workload `w` with the options `o` of its values; restricted by Pod Security's measure.
`w` is what a chart says about its program: component, image, args, env, port (ports by name), mounts, volumes,
initContainers, probes, waitForSchema, restartPolicy. `o` is what people set (definition "workload").
Call: include "common.podTemplate" (dict "ctx" $ "w" $w "o" $o)
*/}}
{{- define "common.podTemplate" -}}
{{- $ctx := .ctx -}}{{- $w := .w -}}{{- $o := .o -}}
{{- $global := include "common.global" $ctx | fromYaml -}}
metadata:
  labels:
    {{- include "common.labels" (list $ctx $w.component) | nindent 4 }}
    {{- with $o.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with merge (deepCopy ($o.podAnnotations | default dict)) ($w.podAnnotations | default dict) }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "common.serviceAccountName" (list $ctx $w.component $o) }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- include "common.imagePullSecrets" (list $ctx $o) | nindent 2 }}
  {{- with $w.restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  terminationGracePeriodSeconds: {{ $o.terminationGracePeriodSeconds | default 30 }}
  securityContext:
    {{- $podSecurity := dict "runAsNonRoot" true "runAsUser" 10001 "runAsGroup" 10001 "fsGroup" 10001 "fsGroupChangePolicy" "OnRootMismatch" "seccompProfile" (dict "type" "RuntimeDefault") }}
    {{- toYaml (mergeOverwrite $podSecurity (deepCopy ($o.podSecurityContext | default dict))) | nindent 4 }}
  {{- with $o.priorityClassName | default $global.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $o.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- with merge (deepCopy ($o.nodeSelector | default dict)) ($global.nodeSelector | default dict) }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with concat ($o.tolerations | default list) ($w.tolerations | default list) ($global.tolerations | default list) }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $o.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if not $w.restartPolicy }}
  topologySpreadConstraints:
    {{- if kindIs "slice" $o.topologySpreadConstraints }}
    {{- toYaml $o.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "common.selectorLabels" (list $ctx $w.component) | nindent 10 }}
    {{- end }}
    {{- end }}
  {{- end }}
  {{- with concat ($w.resourceClaims | default list) }}
  resourceClaims:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if or $w.waitForSchema $w.initContainers $o.extraInitContainers }}
  initContainers:
    {{- if $w.waitForSchema }}
    # Serves only once the schema is there that this version needs; the reason for waiting is in its log.
    - name: wait-for-schema
      {{- include "common.containerBasics" . | nindent 6 }}
      args: [pilothouse-migrate, --check, --wait, "900"]
      env:
        {{- include "common.env" (dict "ctx" $ctx "env" $w.schemaEnv) | nindent 8 }}
      resources:
        {{- include "common.waitResources" (list $o "64Mi" "128Mi") | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        {{- with $w.schemaMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- end }}
    {{- range $w.initContainers }}
    - {{ toYaml . | nindent 6 | trim }}
    {{- end }}
    {{- with $o.extraInitContainers }}
    {{- tpl (toYaml .) $ctx | nindent 4 }}
    {{- end }}
  {{- end }}
  containers:
    - name: {{ $w.container | default $w.component }}
      {{- include "common.containerBasics" . | nindent 6 }}
      {{- with $w.command }}
      command:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $w.args }}
      args:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with include "common.env" (dict "ctx" $ctx "env" $w.env "settings" $o.settings "extra" $o.extraEnv) }}
      env:
        {{- . | nindent 8 }}
      {{- end }}
      {{- with $o.extraEnvFrom }}
      envFrom:
        {{- tpl (toYaml .) $ctx | nindent 8 }}
      {{- end }}
      {{- with merge (ternary (dict "http" $w.port) dict (not (empty $w.port))) ($w.ports | default dict) }}
      ports:
        {{- range $name, $number := . }}
        - name: {{ $name }}
          containerPort: {{ $number }}
        {{- end }}
      {{- end }}
      {{- with $w.probes }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      {{- if and $w.port (not $w.restartPolicy) }}
      lifecycle:
        # Goes on serving until the Service has taken the pod out of its list.
        preStop:
          sleep:
            seconds: 5
      {{- end }}
      {{- with $w.resources | default $o.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        {{- with concat ($w.mounts | default list) ($o.extraVolumeMounts | default list) }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with $o.extraContainers }}
    {{- tpl (toYaml .) $ctx | nindent 4 }}
    {{- end }}
  volumes:
    - name: tmp
      emptyDir:
        sizeLimit: {{ $o.tmpSize | default "1Gi" }}
    {{- with $w.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with $o.extraVolumes }}
    {{- tpl (toYaml .) $ctx | nindent 4 }}
    {{- end }}
{{- end }}

{{/*
Resources of a container that only waits. Where a quota asks for more limits than that of memory, those of the part do: they
cost nothing, as the two never run together. Call: include "common.waitResources" (list $options "64Mi" "128Mi")
*/}}
{{- define "common.waitResources" -}}
{{- $limits := pick (dig "limits" dict ((index . 0).resources | default dict)) "cpu" "ephemeral-storage" -}}
requests: {cpu: 10m, memory: {{ index . 1 }}}
limits: {{ toJson (merge (dict "memory" (index . 2)) $limits) }}
{{- end }}

{{/* Image and security context of a container of ours. */}}
{{- define "common.containerBasics" -}}
image: {{ include "common.image" (list .ctx .w.image) }}
imagePullPolicy: {{ .w.image.pullPolicy | default "IfNotPresent" }}
securityContext:
  {{- $security := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) }}
  {{- toYaml (mergeOverwrite $security (deepCopy (.o.containerSecurityContext | default dict))) | nindent 2 }}
{{- end }}

{{/*
Probes of a service of ours. Liveness asks the process alone: a slow or absent database must not
restart every replica. Call: include "common.httpProbes" (dict "startupSeconds" 120)
*/}}
{{- define "common.httpProbes" -}}
startupProbe:
  httpGet: {path: {{ .startup | default "/livez" }}, port: http}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: {{ div (.startupSeconds | default 120) 2 }}
livenessProbe:
  httpGet: {path: {{ .live | default "/livez" }}, port: http}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 6
readinessProbe:
  httpGet: {path: {{ .ready | default "/readyz" }}, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
  # Longer than a failover of the database: all replicas see it at once, and an empty Service helps nobody.
  failureThreshold: 8
{{- end }}
