{{/* The components of the release that use the database, and KEDA, which may count what waits. */}}
{{- define "database.clientRules" -}}
- ports:
    - port: 5432
  from:
    - podSelector:
        matchLabels:
          app.kubernetes.io/instance: {{ .Release.Name }}
        matchExpressions:
          - key: app.kubernetes.io/component
            operator: In
            values: [chat-ui, database-migrate, ingest, ingest-bulk, ingest-worker, query]
    {{- with .Values.networkPolicy.kedaNamespace }}
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ . | quote }}
    {{- end }}
{{- end }}

{{/* Call: include "database.metricsRules" (list $ 9187) */}}
{{- define "database.metricsRules" -}}
{{- $ctx := index . 0 -}}
{{- if and $ctx.Values.metrics.podMonitor.enabled $ctx.Values.networkPolicy.metricsFrom -}}
- ports:
    - port: {{ index . 1 }}
  from:
    {{- toYaml $ctx.Values.networkPolicy.metricsFrom | nindent 4 }}
{{- end -}}
{{- end }}

{{/* Object stores on a port of their own, and where clouds hand out the credentials of a role. */}}
{{- define "database.egressToStores" -}}
{{- $inherits := false -}}
{{- range list .Values.backup.store .Values.bootstrap.recovery.store }}
{{- if .s3.inheritFromIAMRole }}{{- $inherits = true }}{{- end }}
{{- with .endpointURL }}
{{ include "common.egressToURL" (list $ . "") }}
{{- end }}
{{- end }}
{{- if $inherits }}
- ports:
    - port: 80
  to:
    - ipBlock: {cidr: 169.254.169.254/32}
    - ipBlock: {cidr: 169.254.170.23/32}
{{- end }}
{{- end }}
