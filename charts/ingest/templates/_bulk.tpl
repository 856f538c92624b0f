{{/* Makes documents of the files on a volume. It needs no signing key: nobody calls it. */}}
{{- define "ingest.bulk" -}}
component: ingest-bulk
args: [python, -m, pilothouse_ingest, bulk, {{ include "ingest.bulkFolder" . | quote }}, --collection, {{ .Values.bulk.collection | quote }}]
env:
  {{- include "common.databaseEnv" (list . .Values.database) | nindent 2 }}
  {{- include "common.embeddingEnv" (list . .Values.embedding) | nindent 2 }}
  PILOTHOUSE_UPLOAD_MAX_BYTES: {{ include "ingest.maxUploadBytes" . | quote }}
  PILOTHOUSE_SERVER_GRACE: {{ sub .Values.bulk.terminationGracePeriodSeconds 10 | quote }}
mounts:
  - {name: source, mountPath: /data, readOnly: true}
  {{- include "common.databaseMounts" (list . .Values.database) | nindent 2 }}
volumes:
  - name: source
    {{- with .Values.bulk.source.existingClaim }}
    # Read-only here too, or the kubelet would change the owner of every file.
    persistentVolumeClaim: {claimName: {{ tpl . $ }}, readOnly: true}
    {{- else }}
    {{- tpl (toYaml .Values.bulk.source.volume) . | nindent 4 }}
    {{- end }}
  {{- include "common.databaseVolumes" (list . .Values.database) | nindent 2 }}
waitForSchema: true
schemaEnv:
  {{- include "common.databaseEnv" (list . .Values.database) | nindent 2 }}
schemaMounts:
  {{- include "common.databaseMounts" (list . .Values.database) | nindent 2 }}
egress:
  {{- include "common.egressToDatabase" (list . .Values.database) | nindent 2 }}
  {{- include "common.egressToURL" (list . (include "common.embeddingURL" (list . .Values.embedding)) "embeddings") | nindent 2 }}
podAnnotations:
  pilothouse.dev/run: {{ .Values.bulk.run | quote }}
{{- with .Values.bulk.queueName }}
jobLabels:
  # Kueue holds the job back by its field `suspend`, which is therefore not set here.
  kueue.x-k8s.io/queue-name: {{ . }}
{{- end }}
{{- end }}

{{- define "ingest.bulkFolder" -}}
{{- printf "/data/%s" .Values.bulk.folder | clean -}}
{{- end }}

{{/* Each pod takes the part that its index names; a part in which single files failed is not tried again. */}}
{{- define "ingest.bulkJob" -}}
{{- $o := .Values.bulk -}}
{{- $parts := int ($o.completions | default $o.parallelism) -}}
image: {{ toYaml .Values.image | nindent 2 }}
restartPolicy: Never
env:
  PILOTHOUSE_BULK_PARTS: {{ $parts | quote }}
job:
  completionMode: Indexed
  completions: {{ $parts }}
  parallelism: {{ $o.parallelism }}
  backoffLimitPerIndex: {{ $o.retries }}
  backoffLimit: {{ mul $parts (add1 $o.retries) }}
  {{- with $o.activeDeadlineSeconds }}
  activeDeadlineSeconds: {{ int64 . }}
  {{- end }}
  podFailurePolicy:
    rules:
      - action: Ignore
        onPodConditions:
          - {type: DisruptionTarget, status: "True"}
      - action: FailIndex
        onExitCodes: {containerName: ingest-bulk, operator: In, values: [2, 4]}
{{- end }}

{{- define "ingest.bulkValidate" -}}
{{- $o := .Values.bulk -}}
{{- if not $o.collection -}}
{{- include "common.refuse" (list "bulk is enabled, and bulk.collection names no collection to fill. For example --set bulk.collection=archive") -}}
{{- end -}}
{{- if eq (empty $o.source.existingClaim) (empty $o.source.volume) -}}
{{- include "common.refuse" (list "bulk is enabled, so say where the files are: either a claim (--set bulk.source.existingClaim=archive) or a volume (bulk.source.volume), and not both.") -}}
{{- end -}}
{{- include "ingest.validateTmp" (list . "bulk") -}}
{{- if eq $o.engine "ray" -}}
{{- include "common.requireKind" (list . "ray.io/v1/RayJob" "KubeRay" "bulk.engine is ray" "helm install kuberay-operator kuberay-operator --repo https://ray-project.github.io/kuberay-helm --namespace kuberay --create-namespace") -}}
{{- if lt (int $o.ray.maxWorkers) (int $o.ray.minWorkers) -}}
{{- include "common.refuse" (list (printf "bulk.ray.minWorkers is above bulk.ray.maxWorkers. Make it at most %d." (int $o.ray.maxWorkers))) -}}
{{- end -}}
{{- if and $o.queueName (ne (int $o.ray.minWorkers) (int $o.ray.maxWorkers)) -}}
{{- include "common.refuse" (list "bulk.queueName gives the RayJob to Kueue, which admits no cluster that grows. Make bulk.ray.minWorkers and bulk.ray.maxWorkers the same.") -}}
{{- end -}}
{{- end -}}
{{- end }}
