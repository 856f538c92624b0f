{{/* Values of this chart that contradict each other, or leave the page open. */}}
{{- define "chat-ui.validate" -}}
{{- $proxy := .Values.auth.proxy -}}
{{- if eq .Values.auth.mode "proxy" -}}
{{- if and .Values.networkPolicy.enabled (not $proxy.from) -}}
{{- include "common.refuse" (list "chat-ui: auth.mode is proxy, and auth.proxy.from names no pods. Whoever reaches the page could call himself anybody. Name the proxy's pods, for example:\n\n    auth:\n      mode: proxy\n      proxy:\n        from:\n          - podSelector: {matchLabels: {app.kubernetes.io/name: oauth2-proxy}}") -}}
{{- end -}}
{{- if not (or .Values.networkPolicy.enabled $proxy.fencedElsewhere) -}}
{{- include "common.refuse" (list "chat-ui: auth.mode is proxy, and networkPolicy.enabled is false, so whoever reaches the page could call himself anybody. Set networkPolicy.enabled to true. Where something else keeps everybody but the proxy away, such as a service mesh, say so with auth.proxy.fencedElsewhere=true.") -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ingress.enabled .Values.ingress.tlsSecret (not .Values.ingress.host) -}}
{{- include "common.refuse" (list "chat-ui: ingress.tlsSecret names a certificate, and ingress.host does not say whose it is. Set ingress.host to the page's name, or leave ingress.tlsSecret empty.") -}}
{{- end -}}
{{- end }}
