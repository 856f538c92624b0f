{{/*
What may reach a component and what it may reach. `w.from` lists components of the release; `w.ingress` and
`w.egress` are rules as Kubernetes takes them; people add `networkPolicy.extraIngress` and `extraEgress`.
*/}}
{{- define "common.networkPolicy" -}}
{{- $ctx := .ctx -}}{{- $w := .w -}}{{- $o := .o -}}
{{- $policy := $o.networkPolicy | default dict -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "common.metadata" . }}
spec:
  podSelector:
    matchLabels:
      {{- include "common.selectorLabels" (list $ctx $w.component) | nindent 6 }}
  policyTypes: [Ingress, Egress]
  {{- $rules := include "common.ingressRules" . | trim }}
  {{- if $rules }}
  ingress:
    {{- $rules | nindent 4 }}
  {{- else }}
  ingress: []
  {{- end }}
  egress:
    {{- include "common.egressToDNS" $ctx | nindent 4 }}
    {{- with concat ($w.egress | default list) ($policy.extraEgress | default list) }}
    {{- tpl (toYaml .) $ctx | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "common.ingressRules" -}}
{{- $ctx := .ctx -}}{{- $w := .w -}}{{- $o := .o -}}
{{- $policy := $o.networkPolicy | default dict -}}
{{- with $w.from }}
- ports:
    - port: http
  from:
    - podSelector:
        matchLabels:
          app.kubernetes.io/instance: {{ $ctx.Release.Name }}
        matchExpressions:
          - key: app.kubernetes.io/component
            operator: In
            values: {{ toJson . }}
{{- end }}
{{- /* An empty list of peers would mean everybody. */ -}}
{{- if and $w.port $o.metrics $o.metrics.serviceMonitor.enabled $policy.metricsFrom }}
- ports:
    - port: http
  from:
    {{- toYaml $policy.metricsFrom | nindent 4 }}
{{- end }}
{{- with concat ($w.ingress | default list) ($policy.extraIngress | default list) }}
{{- tpl (toYaml .) $ctx | nindent 0 }}
{{- end }}
{{- end }}

{{/* Name look-ups: the cluster's DNS pods, and the node's own cache where there is one. */}}
{{- define "common.egressToDNS" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
  to:
    - namespaceSelector: {}
    - ipBlock: {cidr: 169.254.20.10/32}
{{- end }}

{{/*
To what is outside the release (`global.outside`), which leaves out the range where clouds answer with the
node's own credentials. Call: include "common.egressAnywhere" (list $ 443)
*/}}
{{- define "common.egressAnywhere" -}}
{{- $outside := (include "common.global" (first .) | fromYaml).outside | default (list (dict "cidr" "0.0.0.0/0" "except" (list "169.254.0.0/16"))) -}}
- ports:
    {{- range rest . }}
    - port: {{ . }}
    {{- end }}
  to:
    {{- range $outside }}
    - ipBlock:
        {{- toYaml . | nindent 8 }}
    {{- end }}
{{- end }}

{{/*
To the API server, and to what has one of its ports. Both ports of it are named, as some clusters look at a packet
before its Service's address is replaced, and some after. Call: include "common.egressToAPIServer" .
*/}}
{{- define "common.egressToAPIServer" -}}
{{- $server := (include "common.global" . | fromYaml).apiServer | default dict -}}
{{- include "common.egressAnywhere" (prepend ($server.ports | default (list 443 6443)) .) -}}
{{- end }}

{{/*
To a server named by URL: the component of this release when it is that one's Service, otherwise anywhere on
the URL's port. Call: include "common.egressToURL" (list $ $url "inference")
*/}}
{{- define "common.egressToURL" -}}
{{- $ctx := index . 0 -}}
{{- $url := tpl (index . 1) $ctx -}}
{{- $component := index . 2 -}}
{{- if $url -}}
{{- $parsed := urlParse $url -}}
{{- $host := regexReplaceAll ":[0-9]+$" $parsed.host "" -}}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $parsed.host) | default (ternary "443" "80" (eq $parsed.scheme "https")) -}}
{{- if eq $host (include "common.componentName" (list $ctx $component)) -}}
- ports:
    - port: {{ $port }}
  to:
    - podSelector:
        matchLabels:
          {{- include "common.peerLabels" (list $ctx $component) | nindent 10 }}
{{- else -}}
{{- include "common.egressAnywhere" (list $ctx (int $port)) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/*
To the database: CloudNativePG's pods and poolers when it is this release's, otherwise anywhere on its port. A server
elsewhere may have a name that begins like the cluster's, so the whole name is looked at.
Call: include "common.egressToDatabase" (list $ .Values.database)
*/}}
{{- define "common.egressToDatabase" -}}
{{- $ctx := index . 0 -}}
{{- $db := include "common.databaseOf" . | fromYaml -}}
{{- $cluster := include "common.componentName" (list $ctx "database") -}}
{{- $service := printf "%s-(rw|ro|r|pooler-[a-z0-9-]+)" (regexQuoteMeta $cluster) -}}
{{- if regexMatch (printf "^%s(\\.%s(\\.svc(\\..+)?)?)?$" $service $ctx.Release.Namespace) $db.host -}}
- ports:
    - port: 5432
  to:
    - podSelector:
        matchLabels:
          cnpg.io/cluster: {{ $cluster }}
{{- else -}}
{{- include "common.egressAnywhere" (list $ctx (int $db.port)) -}}
{{- end -}}
{{- end }}
