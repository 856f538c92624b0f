{{/* The object store to recover from: its own, or the one of the backups. */}}
{{- define "database.recoveryStore" -}}
{{- $own := .Values.bootstrap.recovery.store -}}
{{- toYaml (ternary $own .Values.backup.store (not (empty $own.destinationPath))) -}}
{{- end }}

{{/* Who archives the write-ahead log: plugin, barmanObjectStore or nobody. */}}
{{- define "database.archiver" -}}
{{- $backup := .Values.backup -}}
{{- if eq $backup.method "volumeSnapshot" -}}{{ ternary "plugin" "" (not (empty $backup.store.destinationPath)) }}
{{- else if ne $backup.method "none" -}}{{ $backup.method }}
{{- end -}}
{{- end }}

{{/* Whether the cluster is recovered by this way: include "database.recoversBy" (list $ "plugin") */}}
{{- define "database.recoversBy" -}}
{{- $bootstrap := (index . 0).Values.bootstrap -}}
{{- if and (eq $bootstrap.mode "recovery") (eq $bootstrap.recovery.method (index . 1)) }}yes{{ end -}}
{{- end }}

{{/*
A store as Barman Cloud is configured, the same in ObjectStore and in Cluster.
Call: include "database.barman" (list $ $store)
*/}}
{{- define "database.barman" -}}
{{- $store := index . 1 -}}
{{- $config := dict "destinationPath" $store.destinationPath -}}
{{- with $store.endpointURL -}}{{- $_ := set $config "endpointURL" . -}}{{- end -}}
{{- with $store.endpointCA.secret -}}{{- $_ := set $config "endpointCA" (dict "name" . "key" $store.endpointCA.key) -}}{{- end -}}
{{- $s3 := $store.s3 -}}
{{- if $s3.inheritFromIAMRole -}}
{{- $_ := set $config "s3Credentials" (dict "inheritFromIAMRole" true) -}}
{{- else if $s3.existingSecret -}}
{{- $keys := dict "accessKeyId" (dict "name" $s3.existingSecret "key" $s3.accessKeyIdKey)
  "secretAccessKey" (dict "name" $s3.existingSecret "key" $s3.secretAccessKeyKey) -}}
{{- with $s3.regionKey -}}{{- $_ := set $keys "region" (dict "name" $s3.existingSecret "key" .) -}}{{- end -}}
{{- $_ := set $config "s3Credentials" $keys -}}
{{- end -}}
{{- if ne $store.compression "none" -}}
{{- $_ := set $config "wal" (dict "compression" $store.compression) -}}
{{- $_ := set $config "data" (dict "compression" $store.compression) -}}
{{- end -}}
{{- toYaml (mergeOverwrite $config (deepCopy ($store.extra | default dict))) -}}
{{- end }}

{{/* The Barman Cloud plugin as Cluster names it. Call: include "database.plugin" (list "object-store" "server") */}}
{{- define "database.plugin" -}}
name: barman-cloud.cloudnative-pg.io
parameters:
  barmanObjectName: {{ index . 0 }}
  serverName: {{ index . 1 | quote }}
{{- end }}
