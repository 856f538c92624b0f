{{/*
How the Cluster begins. The roles are made before anybody migrates, who has no right to make any; CloudNativePG
then gives them LOGIN and their passwords (`managed.roles`).
*/}}
{{- define "database.bootstrap" }}
{{- $bootstrap := .Values.bootstrap }}
{{- $from := $bootstrap.recovery }}
bootstrap:
{{- if eq $bootstrap.mode "initdb" }}
  initdb:
    database: pilothouse
    owner: pilothouse
    dataChecksums: {{ $bootstrap.dataChecksums }}
    postInitSQL:
      {{- range list "ingest" "query" "chat" }}
      - CREATE ROLE pilothouse_{{ . }} NOLOGIN
      {{- end }}
    postInitApplicationSQL:
      - CREATE EXTENSION IF NOT EXISTS vector
{{- else }}
  recovery:
    # The owner gets a new password, in a Secret of this cluster.
    database: pilothouse
    owner: pilothouse
    {{- if eq $from.method "backup" }}
    backup:
      name: {{ $from.backup | quote }}
    {{- end }}
    {{- if eq $from.method "volumeSnapshot" }}
    volumeSnapshots:
      {{- toYaml $from.volumeSnapshots | nindent 6 }}
    {{- end }}
    {{- if include "database.recoveryServer" . }}
    source: origin
    {{- end }}
    {{- with $from.target }}
    recoveryTarget:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- if include "database.recoveryServer" . }}
externalClusters:
  - name: origin
    {{- if eq $from.method "barmanObjectStore" }}
    barmanObjectStore:
      serverName: {{ include "database.recoveryServer" . | quote }}
      {{- include "database.barman" (list . (include "database.recoveryStore" . | fromYaml)) | nindent 6 }}
    {{- else }}
    plugin:
      {{- include "database.plugin" (list (printf "%s-recovery" (include "database.cluster" .)) (include "database.recoveryServer" .)) | nindent 6 }}
    {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Folder to recover from, where an object store is read; snapshots may do without one. */}}
{{- define "database.recoveryServer" -}}
{{- $bootstrap := .Values.bootstrap -}}
{{- if and (eq $bootstrap.mode "recovery") (ne $bootstrap.recovery.method "backup") -}}{{- $bootstrap.recovery.serverName -}}{{- end -}}
{{- end }}
