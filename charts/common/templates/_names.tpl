{{/*
The name of a part's objects: the release's name and the part's, at most 50 characters because
CloudNativePG allows no more for a Cluster and appends to it. `helm install query charts/query` is "query".
Call: include "common.componentName" (list $ "query")
*/}}
{{- define "common.componentName" -}}
{{- $release := (index . 0).Release.Name -}}
{{- $component := index . 1 -}}
{{- range list "auth" "chat-ui" "database" "embeddings" "inference" "ingest" "query" -}}
{{- if and (or (eq $component .) (hasPrefix (printf "%s-" .) $component)) (or (eq $release .) (hasSuffix (printf "-%s" .) $release)) -}}
{{- /* What the release says already is not said again: "ingest" and "ingest-worker". */ -}}
{{- $component = trimPrefix . $component | trimPrefix "-" -}}
{{- end -}}
{{- end -}}
{{- $most := int (sub 49 (len $component)) -}}
{{- if not $component -}}
{{- $release | trunc 50 | trimSuffix "-" -}}
{{- else if gt (len $release) $most -}}
{{- /* A piece of the digest keeps two long names with the same beginning apart. */ -}}
{{- printf "%s-%s-%s" (trunc (int (sub $most 6)) $release | trimSuffix "-") (sha256sum $release | trunc 5) $component -}}
{{- else -}}
{{- printf "%s-%s" $release $component -}}
{{- end -}}
{{- end }}

{{/*
What selects the pods of a component, and never changes: selectors are immutable.
Call: include "common.selectorLabels" (list $ "query")
*/}}
{{- define "common.selectorLabels" -}}
{{- $ctx := index . 0 -}}
app.kubernetes.io/name: {{ $ctx.Chart.Name }}
app.kubernetes.io/instance: {{ $ctx.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Labels of every object. Call: include "common.labels" (list $ "query") */}}
{{- define "common.labels" -}}
{{- $ctx := index . 0 -}}
{{ include "common.selectorLabels" . }}
app.kubernetes.io/part-of: pilothouse
app.kubernetes.io/version: {{ $ctx.Chart.AppVersion | default $ctx.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/managed-by: {{ $ctx.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $ctx.Chart.Name $ctx.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with (include "common.global" $ctx | fromYaml).labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Selects the pods of another component of the same release, whichever chart it is of. */}}
{{- define "common.peerLabels" -}}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* The values under `global`, also where none are given. */}}
{{- define "common.global" -}}
{{- toYaml (.Values.global | default dict) -}}
{{- end }}

{{/*
A full image name. global.imageRegistry replaces the registry of every image; a digest wins over the tag.
Call: include "common.image" (list $ .Values.image)
*/}}
{{- define "common.image" -}}
{{- $ctx := index . 0 -}}
{{- $image := index . 1 -}}
{{- $registry := (include "common.global" $ctx | fromYaml).imageRegistry | default $image.registry -}}
{{- $name := $image.repository -}}
{{- with $registry }}{{ $name = printf "%s/%s" . $name }}{{ end -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name ($image.tag | default $ctx.Chart.AppVersion) -}}
{{- end -}}
{{- end }}

{{/* Pull secrets of the component and of `global`, as a pod wants them. Call: (list $ $options) */}}
{{- define "common.imagePullSecrets" -}}
{{- $names := concat ((include "common.global" (index . 0) | fromYaml).imagePullSecrets | default list) ((index . 1).imagePullSecrets | default list) | uniq -}}
{{- with $names }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}
