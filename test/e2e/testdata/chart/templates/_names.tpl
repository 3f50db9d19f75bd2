{{- define "labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
{{- define "pod" -}}
metadata:
  labels: {{- include "labels" . | nindent 4 }}
spec:
  serviceAccountName: {{ .Release.Name }}
  containers:
    - name: app
      image: {{ .Values.image }}
      ports: [{ name: http, containerPort: 8080 }]
      envFrom: [{ configMapRef: { name: {{ .Release.Name }} } }]
{{- end }}
