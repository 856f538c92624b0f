{{/*
A RayJob: KubeRay makes a cluster of a head and workers, runs the program on the head, which gives the workers
parts of the files, and takes the cluster away. Ray listens on ports of its choice, so the pods let each other in.
*/}}
{{- define "ingest.bulkRay" -}}
{{- $o := .Values.bulk -}}
image: {{ toYaml $o.ray.image | nindent 2 }}
env:
  # A task of Ray stands for one parser.
  PILOTHOUSE_PARSING_PROCESSES: "1"
  RAY_USAGE_STATS_ENABLED: "0"
  {{- if not (include "ingest.bulkGrows" .) }}
  # Tasks that wait for a free worker are no news where none will be added.
  RAY_SCHEDULER_EVENTS: "0"
  {{- end }}
probes:
  {{- range list "livenessProbe" "readinessProbe" }}
  {{ . }}:
    httpGet: {path: /api/healthz, port: healthz}
    initialDelaySeconds: 10
    timeoutSeconds: 5
    failureThreshold: {{ ternary 12 3 (eq . "livenessProbe") }}
  {{- end }}
ingress:
  - from:
      - podSelector:
          matchLabels:
            {{- include "common.peerLabels" (list . "ingest-bulk") | nindent 12 }}
  # KubeRay asks the head how the job is.
  - ports:
      - port: 8265
    from:
      - namespaceSelector: {}
        podSelector:
          matchLabels:
            app.kubernetes.io/name: kuberay-operator
egress:
  - to:
      - podSelector:
          matchLabels:
            {{- include "common.peerLabels" (list . "ingest-bulk") | nindent 12 }}
  {{- if include "ingest.bulkGrows" . }}
  {{- include "common.egressToAPIServer" . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* Whether workers are added while there is work. */}}
{{- define "ingest.bulkGrows" -}}
{{- if gt (int .Values.bulk.ray.maxWorkers) (int .Values.bulk.ray.minWorkers) }}yes{{ end -}}
{{- end }}

{{/* Call: include "ingest.rayJob" (dict "ctx" $ "w" $w "o" $options) */}}
{{- define "ingest.rayJob" -}}
{{- $spec := include "ingest.rayJobSpec" . -}}
{{- /* KubeRay wants names of at most 47 characters that begin with a letter. */ -}}
{{- $name := include "common.componentName" (list .ctx .w.component) | trunc 36 | trimSuffix "-" -}}
apiVersion: ray.io/v1
kind: RayJob
metadata:
  name: {{ printf "%s%s-%s" (ternary "r-" "" (regexMatch "^[0-9]" $name)) $name (include "common.jobDigest" (list $spec .w)) }}
  namespace: {{ .ctx.Release.Namespace }}
  labels:
    {{- include "common.labels" (list .ctx .w.component) | nindent 4 }}
    {{- with .w.jobLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- $spec | nindent 2 }}
{{- end }}

{{- define "ingest.rayJobSpec" -}}
{{- $ray := .o.ray -}}
{{- $store := dict "object-store-memory" "200000000" -}}
{{- $token := dict "name" "kubernetes-token" "projected" (dict "sources" (list
  (dict "serviceAccountToken" (dict "path" "token" "expirationSeconds" 3600))
  (dict "configMap" (dict "name" "kube-root-ca.crt" "items" (list (dict "key" "ca.crt" "path" "ca.crt"))))
  (dict "downwardAPI" (dict "items" (list (dict "path" "namespace" "fieldRef" (dict "fieldPath" "metadata.namespace"))))))) -}}
{{- $grows := include "ingest.bulkGrows" .ctx -}}
{{- $plain := omit .w "args" -}}
{{- /* Where the head names ports, KubeRay's Service has these and no others. */ -}}
{{- $ports := dict "healthz" 52365 "gcs-server" 6379 "dashboard" 8265 "client" 10001 -}}
{{- $head := merge (dict "container" "ray-head" "resources" $ray.headResources "ports" $ports) $plain -}}
{{- if $grows }}{{ $_ := set $head "volumes" (append $head.volumes $token) }}{{ end -}}
{{- $worker := merge (dict "container" "ray-worker" "ports" (pick $ports "healthz")) (omit $plain "waitForSchema") -}}
{{- $submitter := dict "component" .w.component "container" "submitter" "image" .w.image "restartPolicy" "Never"
  "podAnnotations" .w.podAnnotations
  "resources" (dict "requests" (dict "cpu" "50m" "memory" "256Mi") "limits" (dict "memory" "1Gi")) -}}
{{- $few := omit .o "settings" "extraEnv" "extraVolumes" "extraVolumeMounts" -}}
entrypoint: {{ printf "%s --ray" (include "ingest.bulkEntrypoint" .) | quote }}
shutdownAfterJobFinishes: true
submissionMode: K8sJobMode
backoffLimit: {{ $ray.retries }}
{{- with .o.activeDeadlineSeconds }}
activeDeadlineSeconds: {{ int64 . }}
{{- end }}
submitterPodTemplate:
  {{- include "common.podTemplate" (dict "ctx" .ctx "w" $submitter "o" $few) | nindent 2 }}
rayClusterSpec:
  rayVersion: {{ $ray.version }}
  # Who can talk to the head can run anything on it.
  authOptions: {mode: token}
  {{- if $grows }}
  enableInTreeAutoscaling: true
  autoscalerOptions:
    idleTimeoutSeconds: 60
    resources:
      requests: {cpu: 100m, memory: 256Mi}
      limits: {memory: 512Mi}
    securityContext:
      {{- $security := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) }}
      {{- toYaml (mergeOverwrite $security (deepCopy (.o.containerSecurityContext | default dict))) | nindent 6 }}
    volumeMounts:
      - {name: tmp, mountPath: /tmp}
      # Only the autoscaler has the token, which may change this cluster.
      - {name: kubernetes-token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
  {{- end }}
  headGroupSpec:
    rayStartParams:
      {{- toYaml (merge (dict "num-cpus" "0") $store) | nindent 6 }}
    template:
      {{- include "common.podTemplate" (dict "ctx" .ctx "w" $head "o" .o) | nindent 6 }}
  workerGroupSpecs:
    - groupName: workers
      replicas: {{ $ray.minWorkers }}
      minReplicas: {{ $ray.minWorkers }}
      maxReplicas: {{ $ray.maxWorkers }}
      rayStartParams:
        {{- toYaml $store | nindent 8 }}
      template:
        {{- include "common.podTemplate" (dict "ctx" .ctx "w" $worker "o" .o) | nindent 8 }}
{{- end }}

{{/* Read by a shell twice, therefore in quotes; the values allow nothing that would end them. */}}
{{- define "ingest.bulkEntrypoint" -}}
python -m pilothouse_ingest bulk {{ include "ingest.bulkFolder" .ctx | squote }} --collection {{ .o.collection }}
{{- end }}
