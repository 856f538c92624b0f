{{/* How the parts find each other. The subcharts' values hold these as templates; see values.yaml. */}}

{{- define "pilothouse.databaseHost" -}}
{{ include "common.componentName" (list . "database") }}-rw
{{- end }}

{{/* CloudNativePG's own authority; empty where the database is somebody else's. */}}
{{- define "pilothouse.databaseCA" -}}
{{ include "common.componentName" (list . "database") }}-ca
{{- end }}

{{/* Call: include "pilothouse.roleSecret" (list $ "query") */}}
{{- define "pilothouse.roleSecret" -}}
{{- $ctx := index . 0 -}}
{{- index $ctx.Values.global.database.roleSecrets (index . 1) | default (printf "%s-%s" (include "common.componentName" (list $ctx "database")) (index . 1)) -}}
{{- end }}

{{- define "pilothouse.authSecret" -}}
{{- $given := ((include "common.global" . | fromYaml).auth | default dict).existingSecret -}}
{{- $given | default (include "common.componentName" (list . "auth")) -}}
{{- end }}
