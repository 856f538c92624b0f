{{/* The Cluster's spec. */}}
{{- define "database.spec" -}}
{{- $v := .Values -}}
{{- $global := include "common.global" . | fromYaml -}}
instances: {{ $v.instances }}
imageName: {{ include "database.image" . }}
imagePullPolicy: {{ $v.image.pullPolicy }}
{{- include "common.imagePullSecrets" (list . $v) }}
enableSuperuserAccess: false
# Around a single instance it would block every drain.
enablePDB: {{ gt (int $v.instances) 1 }}
# The services keep their connections, so a server that waits for them to leave only turns new ones away meanwhile.
smartShutdownTimeout: 1
storage:
  {{- include "database.volume" $v.storage | nindent 2 }}
{{- if $v.walStorage.size }}
walStorage:
  {{- include "database.volume" $v.walStorage | nindent 2 }}
{{- end }}
{{- with $v.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
ephemeralVolumesSizeLimit:
  shm: {{ $v.shm }}
affinity:
  {{- $affinity := deepCopy ($v.affinity | default dict) }}
  {{- with merge ($affinity.nodeSelector | default dict) ($global.nodeSelector | default dict) }}{{ $_ := set $affinity "nodeSelector" . }}{{ end }}
  {{- with concat ($affinity.tolerations | default list) ($global.tolerations | default list) }}{{ $_ := set $affinity "tolerations" . }}{{ end }}
  {{- toYaml $affinity | nindent 2 }}
topologySpreadConstraints:
  {{- if kindIs "slice" $v.topologySpreadConstraints }}
  {{- toYaml $v.topologySpreadConstraints | nindent 2 }}
  {{- else }}
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        cnpg.io/cluster: {{ include "database.cluster" . }}
  {{- end }}
{{- with $v.priorityClassName | default $global.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
inheritedMetadata:
  labels:
    {{- toYaml (merge (dict "app.kubernetes.io/part-of" "pilothouse") $v.labels ($global.labels | default dict)) | nindent 4 }}
  {{- with $v.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- with $v.serviceAccount.annotations }}
serviceAccountTemplate:
  metadata:
    annotations:
      {{- toYaml . | nindent 6 }}
{{- end }}
{{- with $v.poolers }}
certificates:
  # Poolers show the cluster's certificate, and clients check the name.
  serverAltDNSNames:
    {{- range $name, $_ := . }}
    {{- $host := printf "%s-pooler-%s" (include "database.cluster" $) $name }}
    - {{ $host }}
    - {{ $host }}.{{ $.Release.Namespace }}
    - {{ $host }}.{{ $.Release.Namespace }}.svc
    {{- end }}
{{- end }}
postgresql:
  parameters:
    {{- toYaml $v.parameters | nindent 4 }}
  pg_hba:
    # No password and no document crosses the network in the clear.
    - hostnossl all all all reject
  {{- if $v.synchronous.enabled }}
  synchronous:
    {{- toYaml (omit $v.synchronous "enabled") | nindent 4 }}
  {{- end }}
  {{- with $v.extensions }}
  extensions:
    {{- toYaml . | nindent 4 }}
  {{- end }}
managed:
  roles:
    {{- range list "ingest" "query" "chat" }}
    - name: pilothouse_{{ . }}
      ensure: present
      login: true
      passwordSecret:
        name: {{ include "database.roleSecret" (list $ .) | quote }}
    {{- end }}
{{- include "database.bootstrap" . }}
{{- include "database.backups" . }}
{{- end }}

{{- define "database.volume" -}}
size: {{ .size }}
{{- with .storageClass }}
storageClass: {{ . | quote }}
{{- end }}
{{- end }}
