{{/*
Environment variables as a list, sorted, each name once. `env` maps a name to a text or to
{secret, key}; `settings` adds PILOTHOUSE_ variables; `extra` (a list as Kubernetes takes it) wins.
Call: include "common.env" (dict "ctx" $ "env" $env "settings" $map "extra" $list)
*/}}
{{- define "common.env" -}}
{{- $ctx := .ctx -}}
{{- $env := deepCopy (.env | default dict) -}}
{{- range $name, $value := .settings | default dict -}}
{{- /* Helm reads the numbers of a file as floating-point ones, and would write a million as 1e+06. */ -}}
{{- if and (kindIs "float64" $value) (eq $value (floor $value)) -}}{{- $value = int64 $value -}}{{- end -}}
{{- $_ := set $env (printf "PILOTHOUSE_%s" $name) $value -}}
{{- end -}}
{{- $extra := .extra | default list -}}
{{- range $extra -}}{{- $_ := unset $env .name -}}{{- end -}}
{{- range $name, $value := $env }}
- name: {{ $name }}
{{- if kindIs "map" $value }}
  valueFrom:
    secretKeyRef:
      name: {{ tpl $value.secret $ctx }}
      key: {{ $value.key }}
{{- else }}
  value: {{ tpl (toString $value) $ctx | quote }}
{{- end }}
{{- end }}
{{- with $extra }}
{{ tpl (toYaml .) $ctx }}
{{- end }}
{{- end }}

{{/*
The database that a component connects to: its own values, or global.database where that names a host, since
all parts use the same one. With `direct` it keeps its own way there, past a pooler that global.database names.
Call: include "common.databaseOf" (list $ .Values.database) | fromYaml
*/}}
{{- define "common.databaseOf" -}}
{{- $ctx := index . 0 -}}
{{- $db := deepCopy (index . 1) -}}
{{- $global := (include "common.global" $ctx | fromYaml).database | default dict -}}
{{- if $global.host -}}
{{- $shared := list "name" "sslMode" -}}
{{- if not $db.direct -}}
{{- $shared = concat $shared (list "host" "port") -}}
{{- $_ := set $db "caSecret" "" -}}
{{- end -}}
{{- if not $db.caSecret -}}{{- $shared = concat $shared (list "caSecret" "caKey") -}}{{- end -}}
{{- range $key := $shared -}}
{{- with index $global $key -}}{{- $_ := set $db $key . -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- range $key := list "host" "existingSecret" "caSecret" -}}
{{- $_ := set $db $key (tpl (index $db $key | default "") $ctx) -}}
{{- end -}}
{{- toYaml $db -}}
{{- end }}

{{/*
Variables that connect to PostgreSQL as one role. Libpq takes the password from PGPASSWORD,
so that it is never part of an address. Call: include "common.databaseEnv" (list $ .Values.database)
*/}}
{{- define "common.databaseEnv" -}}
{{- $db := include "common.databaseOf" . | fromYaml -}}
{{- $host := $db.host | required "database.host is empty: name the PostgreSQL server, for example --set database.host=pilothouse-database-rw" -}}
{{- $secret := $db.existingSecret | required "database.existingSecret is empty: name the Secret that holds the role's password, for example one made by: kubectl create secret generic pilothouse-db --from-literal=password=…" -}}
{{- $query := printf "sslmode=%s" $db.sslMode -}}
{{- if $db.caSecret -}}
{{- $query = printf "%s&sslrootcert=/etc/pilothouse/database/ca.crt" $query -}}
{{- else if hasPrefix "verify-" $db.sslMode -}}
{{- /* What a managed database with a public certificate needs. By its path: `system` means the paths of the OpenSSL
that psycopg was built with, and libpq takes it for verify-full alone. */ -}}
{{- $query = printf "%s&sslrootcert=/etc/ssl/certs/ca-certificates.crt" $query -}}
{{- end -}}
PILOTHOUSE_DATABASE_URL: {{ printf "postgresql://%s@%s:%v/%s?%s" $db.user $host $db.port $db.name $query | quote }}
PGPASSWORD:
  secret: {{ $secret | quote }}
  key: {{ $db.passwordKey }}
{{- end }}

{{/* The volume with the database's CA, and its mount; nothing where no CA is named. */}}
{{- define "common.databaseVolumes" -}}
{{- $db := include "common.databaseOf" . | fromYaml -}}
{{- with $db.caSecret }}
- name: database-ca
  secret:
    secretName: {{ . | quote }}
    items:
      - key: {{ $db.caKey }}
        path: ca.crt
{{- end }}
{{- end }}
{{- define "common.databaseMounts" -}}
{{- if (include "common.databaseOf" . | fromYaml).caSecret }}
- name: database-ca
  mountPath: /etc/pilothouse/database
  readOnly: true
{{- end }}
{{- end }}

{{/*
The key that signs tokens between the services. Call: include "common.authEnv" (list $ .Values.auth)
*/}}
{{- define "common.authEnv" -}}
{{- $ctx := index . 0 -}}
{{- $auth := index . 1 -}}
{{- $secret := tpl ($auth.existingSecret | default "") $ctx | required "auth.existingSecret is empty: name the Secret that holds the signing key, for example one made by: kubectl create secret generic pilothouse-auth --from-literal=key=$(openssl rand -hex 32) --from-literal=model-key=$(openssl rand -hex 32)" -}}
PILOTHOUSE_AUTH_KEY:
  secret: {{ $secret | quote }}
  key: {{ $auth.key }}
{{- with $auth.previousKey }}
PILOTHOUSE_AUTH_PREVIOUS_KEY:
  secret: {{ $secret | quote }}
  key: {{ . }}
{{- end }}
{{- with $auth.apiKeysSecret }}
PILOTHOUSE_AUTH_API_KEYS:
  secret: {{ tpl . $ctx | quote }}
  key: {{ $auth.apiKeysKey }}
{{- end }}
{{- end }}

{{/*
Variables for the embedding server: the component's own, or global.embedding where that names one.
Call: include "common.embeddingEnv" (list $ .Values.embedding); "common.embeddingURL" gives the address alone.
*/}}
{{- define "common.embeddingURL" -}}
{{- $ctx := index . 0 -}}
{{- $global := (include "common.global" $ctx | fromYaml).embedding | default dict -}}
{{- tpl ($global.url | default (index . 1).url) $ctx | required "embedding.url is empty: name the embedding server, for example --set embedding.url=http://tei:8085" -}}
{{- end }}
{{- define "common.embeddingEnv" -}}
{{- $ctx := index . 0 -}}
{{- $global := (include "common.global" $ctx | fromYaml).embedding | default dict -}}
{{- $from := ternary $global (index . 1) (not (empty $global.url)) -}}
PILOTHOUSE_EMBEDDING_URL: {{ include "common.embeddingURL" . | quote }}
{{- with tpl ($from.existingSecret | default "") $ctx }}
PILOTHOUSE_EMBEDDING_KEY:
  secret: {{ . | quote }}
  key: {{ $from.key | default "key" }}
{{- end }}
{{- end }}
