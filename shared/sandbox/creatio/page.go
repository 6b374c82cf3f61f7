package creatio

import (
	"encoding/json"
	"html"
	"net/http"
)

func escape(s string) string { return html.EscapeString(s) }

// page answers with a page for people, as the web server in front of a site does where it refuses something.
func page(w *response, status int, title, content string) {
	w.header.Set("Content-Type", htmlMedia)
	w.WriteHeader(status)
	w.body.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>" + escape(title) + "</title></head>\n<body>\n<h1>" +
		escape(title) + "</h1>\n" + content + "\n</body>\n</html>\n")
}

// writeJSON answers with JSON.
func writeJSON(w *response, status int, media string, v any) {
	content, err := json.Marshal(v)
	if err != nil {
		page(w, http.StatusInternalServerError, "500 - Internal server error.", "")
		return
	}
	w.header.Set("Content-Type", media)
	w.WriteHeader(status)
	w.body.Write(content)
}
