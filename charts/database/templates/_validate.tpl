{{/* Values that contradict each other, and a cluster without what they need, are refused before anything is made. */}}
{{- define "database.validate" -}}
{{- if eq .Values.mode "external" -}}
{{- include "database.validateExternal" . -}}
{{- else -}}
{{- if (include "common.global" . | fromYaml).database | default dict | dig "host" "" -}}
{{- include "common.refuse" (list "global.database.host names a PostgreSQL of your own, but database.mode is cluster, which makes another one. Set database.mode to external, or leave global.database.host empty.") -}}
{{- end -}}
{{- include "database.validateCluster" . -}}
{{- include "database.validateBackup" . -}}
{{- include "database.validateRecovery" . -}}
{{- include "database.preflight" . -}}
{{- end -}}
{{- end }}

{{- define "database.validateExternal" -}}
{{- $owner := include "common.databaseOf" (list . (include "database.owner" . | fromYaml)) | fromYaml -}}
{{- if not $owner.host -}}
{{- include "common.refuse" (list "database.mode is external, but no server is named. Set global.database.host to the PostgreSQL server (or external.host where this chart is installed alone).") -}}
{{- end -}}
{{- if and .Values.migrations.enabled (not $owner.existingSecret) -}}
{{- include "common.refuse" (list "database.mode is external, but the owner's password is missing. Make a Secret and name it:\n\n    kubectl create secret generic pilothouse-owner --from-literal=password=…\n    --set global.database.ownerSecret=pilothouse-owner") -}}
{{- end -}}
{{- if .Values.poolers -}}
{{- include "common.refuse" (list "poolers need database.mode: cluster. Put a pooler of your own in front of an external PostgreSQL, and name in external.host the server itself, for the migration.") -}}
{{- end -}}
{{- end }}

{{- define "database.validateCluster" -}}
{{- $v := .Values -}}
{{- if $v.synchronous.enabled -}}
{{- if ge (int $v.synchronous.number) (int $v.instances) -}}
{{- include "common.refuse" (list (printf "synchronous.number is %v, but with %v instance(s) only %d other(s) can confirm a write. Raise instances to %d or more, or lower synchronous.number." $v.synchronous.number $v.instances (sub $v.instances 1) (add 1 (int $v.synchronous.number)))) -}}
{{- end -}}
{{- if and $v.synchronous.failoverQuorum (lt (int $v.instances) 3) -}}
{{- include "common.refuse" (list "synchronous.failoverQuorum needs at least 3 instances: with fewer, no failover could ever be allowed. Set instances to 3, or synchronous.failoverQuorum to false.") -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := $v.poolers -}}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- include "common.refuse" (list (printf "The pooler %q needs a name of lower-case letters, digits and hyphens." $name)) -}}
{{- end -}}
{{- if gt (len (printf "%s-pooler-%s" (include "database.cluster" $) $name)) 63 -}}
{{- include "common.refuse" (list (printf "The name of the pooler %q is too long: %s-pooler-%s has more than 63 characters." $name (include "database.cluster" $) $name)) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "database.validateStore" -}}
{{- $store := index . 0 -}}{{- $where := index . 1 -}}
{{- if not $store.destinationPath -}}
{{- include "common.refuse" (list (printf "%s.destinationPath is empty: say where the backups are, for example s3://backups/pilothouse." $where)) -}}
{{- end -}}
{{- if and (hasPrefix "s3://" $store.destinationPath) (not $store.s3.existingSecret) (not $store.s3.inheritFromIAMRole) (not $store.extra) -}}
{{- include "common.refuse" (list (printf "%s.s3 says nothing about how to log in. Make a Secret and name it in %s.s3.existingSecret:\n\n    kubectl create secret generic pilothouse-backup --from-literal=ACCESS_KEY_ID=… --from-literal=SECRET_ACCESS_KEY=…\n\nor set %s.s3.inheritFromIAMRole to true." $where $where $where)) -}}
{{- end -}}
{{- end }}

{{- define "database.validateBackup" -}}
{{- $backup := .Values.backup -}}
{{- if include "database.archiver" . -}}
{{- include "database.validateStore" (list $backup.store "backup.store") -}}
{{- end -}}
{{- if and (ne $backup.method "none") $backup.schedule (ne (len (splitList " " $backup.schedule)) 6) (not (hasPrefix "@" $backup.schedule)) -}}
{{- include "common.refuse" (list (printf "backup.schedule is %q, but needs six fields, with the second first, for example \"0 0 2 * * *\" for two o'clock at night." $backup.schedule)) -}}
{{- end -}}
{{- end }}

{{- define "database.validateRecovery" -}}
{{- $bootstrap := .Values.bootstrap -}}
{{- if eq $bootstrap.mode "recovery" -}}
{{- $from := $bootstrap.recovery -}}
{{- if and (eq $from.method "backup") (not $from.backup) -}}
{{- include "common.refuse" (list "bootstrap.recovery.backup is empty. Name the Backup object to recover from; `kubectl get backups` lists them.") -}}
{{- end -}}
{{- if and (eq $from.method "volumeSnapshot") (not $from.volumeSnapshots) -}}
{{- include "common.refuse" (list "bootstrap.recovery.volumeSnapshots is empty. Name the snapshots, for example {storage: {name: …, kind: VolumeSnapshot, apiGroup: snapshot.storage.k8s.io}}.") -}}
{{- end -}}
{{- if has $from.method (list "plugin" "barmanObjectStore") -}}
{{- include "database.validateStore" (list (include "database.recoveryStore" . | fromYaml) "bootstrap.recovery.store") -}}
{{- if not $from.serverName -}}
{{- include "common.refuse" (list "bootstrap.recovery.serverName is empty. Name the folder in the store that holds the backup; it is the name of the cluster that made it, such as pilothouse-database.") -}}
{{- end -}}
{{- end -}}
{{- $own := .Values.backup.serverName | default (include "database.cluster" .) -}}
{{- $sameStore := or (empty $from.store.destinationPath) (eq $from.store.destinationPath .Values.backup.store.destinationPath) -}}
{{- if and (include "database.archiver" .) $sameStore (eq $from.serverName $own) -}}
{{- include "common.refuse" (list (printf "The recovered cluster would write its backups over those that it comes from (both are in %q). Give it a folder of its own, for example backup.serverName=%s-2." $own $own)) -}}
{{- end -}}
{{- end -}}
{{- end }}
