{{/* The part of the Cluster's spec that says where backups and the log go. */}}
{{- define "database.backups" }}
{{- $backup := .Values.backup }}
{{- $server := $backup.serverName | default (include "database.cluster" .) }}
{{- if eq (include "database.archiver" .) "plugin" }}
plugins:
  - isWALArchiver: true
    {{- include "database.plugin" (list (printf "%s-backup" (include "database.cluster" .)) $server) | nindent 4 }}
{{- end }}
{{- if eq $backup.method "barmanObjectStore" }}
backup:
  target: {{ $backup.target }}
  {{- with $backup.retentionPolicy }}
  retentionPolicy: {{ . | quote }}
  {{- end }}
  barmanObjectStore:
    serverName: {{ $server | quote }}
    {{- include "database.barman" (list . $backup.store) | nindent 4 }}
{{- else if eq $backup.method "volumeSnapshot" }}
backup:
  target: {{ $backup.target }}
  volumeSnapshot:
    # A snapshot outlives the cluster that it is of.
    snapshotOwnerReference: none
    {{- with $backup.snapshot.className }}
    className: {{ . | quote }}
    {{- end }}
    {{- with $backup.snapshot.walClassName }}
    walClassName: {{ . | quote }}
    {{- end }}
{{- end }}
{{- end }}
