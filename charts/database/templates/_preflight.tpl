{{/* What the cluster must have for these values. */}}
{{- define "database.preflight" -}}
{{- $v := .Values -}}
{{- $operator := "helm install cnpg cloudnative-pg --repo https://cloudnative-pg.github.io/charts --namespace cnpg-system --create-namespace --wait" -}}
{{- $upgrade := replace "helm install" "helm upgrade" $operator -}}
{{- include "common.requireKind" (list . "postgresql.cnpg.io/v1/Cluster" "The CloudNativePG operator" "database.mode is cluster" $operator) -}}
{{- include "common.requireKind" (list . "postgresql.cnpg.io/v1/Database" "CloudNativePG 1.25 or newer" "this chart needs its Database objects" $upgrade) -}}
{{- if and $v.synchronous.enabled $v.synchronous.failoverQuorum (include "database.lacks" (list . (list "spec" "postgresql" "synchronous" "failoverQuorum"))) -}}
{{- include "common.refuse" (list (printf "This cluster's CloudNativePG does not know synchronous.failoverQuorum, and would promote an instance that lacks confirmed writes. It needs 1.28 or newer:\n\n    %s\n\nor set synchronous.failoverQuorum to false." $upgrade)) -}}
{{- end -}}
{{- $inTree := or (eq $v.backup.method "barmanObjectStore") (include "database.recoversBy" (list . "barmanObjectStore")) -}}
{{- if and $inTree (include "database.lacks" (list . (list "spec" "backup" "barmanObjectStore"))) -}}
{{- include "common.refuse" (list "The method barmanObjectStore is gone from this cluster's CloudNativePG (since 1.31). Set backup.method, and bootstrap.recovery.method where it is used, to plugin; the same store can be read.") -}}
{{- end -}}
{{- $plugin := and (include "database.recoveryServer" .) (not (include "database.recoversBy" (list . "barmanObjectStore"))) -}}
{{- if or (eq (include "database.archiver" .) "plugin") $plugin -}}
{{- include "common.requireKind" (list . "barmancloud.cnpg.io/v1/ObjectStore" "The Barman Cloud plugin" "backups or recovery use it (method plugin)" "helm install plugin-barman-cloud plugin-barman-cloud --repo https://cloudnative-pg.github.io/charts --namespace cnpg-system --wait    (it needs cert-manager)") -}}
{{- end -}}
{{- if $v.metrics.podMonitor.enabled -}}
{{- include "common.requireKind" (list . "monitoring.coreos.com/v1/PodMonitor" "The Prometheus operator" "metrics.podMonitor is enabled" "helm install monitoring kube-prometheus-stack --repo https://prometheus-community.github.io/helm-charts --namespace monitoring --create-namespace") -}}
{{- end -}}
{{- include "common.requireStorage" (list . "database.storage" $v.storage.storageClass "ReadWriteOnce") -}}
{{- if $v.walStorage.size -}}
{{- include "common.requireStorage" (list . "database.walStorage" $v.walStorage.storageClass "ReadWriteOnce") -}}
{{- end -}}
{{- end }}

{{/*
Whether the operator's Cluster is known to lack a field, which the API server would drop without a word.
Call: include "database.lacks" (list $ (list "spec" "backup" "barmanObjectStore"))
*/}}
{{- define "database.lacks" -}}
{{- if include "common.preflight" (index . 0) -}}
{{- range include "common.lookup, which --set global.preflight=false skips" (list "apiextensions.k8s.io/v1" "CustomResourceDefinition" "clusters.postgresql.cnpg.io") | fromYaml | dig "spec" "versions" list -}}
{{- $node := .schema.openAPIV3Schema -}}
{{- range index $ 1 -}}{{- $node = dig "properties" . dict $node -}}{{- end -}}
{{- if not $node -}}yes{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
