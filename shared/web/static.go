package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed static templates
var files embed.FS

// asset is one static file. tag is a piece of the hash of its content.
type asset struct {
	name, tag string
	body      []byte
}

// assets holds the static files, each under its own name and under the one with the hash in it.
type assets map[string]asset

// hashed is the name that changes with the content: site.css is site.0123456789ab.css.
func (a asset) hashed() string {
	ext := path.Ext(a.name)
	return strings.TrimSuffix(a.name, ext) + "." + a.tag + ext
}

func loadAssets() assets {
	out := assets{}
	entries, err := fs.ReadDir(files, "static")
	if err != nil {
		panic("web: " + err.Error()) // what is embedded is there
	}
	for _, e := range entries {
		body, err := files.ReadFile("static/" + e.Name())
		if err != nil {
			panic("web: " + err.Error())
		}
		sum := sha256.Sum256(body)
		a := asset{e.Name(), hex.EncodeToString(sum[:6]), body}
		out[a.name], out[a.hashed()] = a, a
	}
	return out
}

// contentTypes are set here, not by the machine's tables, which may lack them.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// static serves a file. Under a name with the right hash it never changes.
func (s *Site) static(w http.ResponseWriter, r *http.Request, _ visit) error {
	name := r.PathValue("name")
	a, ok := s.assets[name]
	if !ok {
		return notFound()
	}
	h := w.Header()
	h.Set("Content-Type", contentTypes[path.Ext(a.name)])
	h.Set("ETag", strconv.Quote(a.tag))
	h.Set("Cache-Control", "no-cache")
	if name == a.hashed() {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
	return nil
}

// funcs are what the templates call, in the words of a locale.
func (s *Site) funcs(l locale) template.FuncMap {
	return template.FuncMap{
		"link": s.link, "asset": func(name string) string { return s.link("/static/" + s.assets[name].hashed()) },
		"lang": l.tag.String, "say": l.say, "count": l.count, "rich": l.rich, "number": l.number, "told": l.told, "nameOf": l.nameOf,
		"opens": s.opens, "code": code, "moment": l.moment,
		"iso": iso, "when": l.when,
		"stateWords": l.stateWords, "stateMark": l.stateMark, "runMark": l.runMark, "runWords": l.runWords, "splitWords": l.splitWords, "splitLabel": l.splitLabel,
		"triggerWords": l.triggerWords, "typeWords": l.typeWords, "undoing": l.undoing, "differing": l.differing, "differingNamed": l.differingNamed,
		"valueOf": l.valueOf, "jobMark": l.jobMark, "jobWords": l.jobWords, "intervalWords": l.intervalWords, "userMark": l.userMark, "failures": l.failures,
		"notConnected": l.notConnected, "policy": func() string { return s.privacy },
		"runTitle": l.runTitle, "progressWords": l.progressWords, "took": l.took, "problemsIn": problemsIn,
		"text": strconv.Itoa, "fault": fieldFault, "dict": dict,
		"grantWords": l.grantWords, "googleMark": l.googleMark, "noEntry": func() passwordForm { return passwordForm{} },
	}
}

// opens begins a link to a page, or to another site.
func (s *Site) opens(address string) template.HTML {
	if strings.HasPrefix(address, "/") {
		address = s.link(address)
	}
	return template.HTML(`<a href="` + template.HTMLEscapeString(address) + `">`) //nolint:gosec // it is escaped
}

// code is a text that a program takes as it stands.
func code(text string) template.HTML {
	return template.HTML("<code>" + template.HTMLEscapeString(text) + "</code>") //nolint:gosec // it is escaped
}

func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// moment is a time as an element.
func (l locale) moment(t time.Time) template.HTML {
	return template.HTML(`<time datetime="` + iso(t) + `">` + template.HTMLEscapeString(l.when(t)) + "</time>") //nolint:gosec // it is escaped
}

// loadPages reads every page, each with the layout and the parts around it. Who shows one gives it the words of the reader.
func (s *Site) loadPages() map[string]*template.Template {
	layout := template.Must(template.New("").Funcs(s.funcs(english)).ParseFS(files, "templates/layout.html", "templates/parts.html", "templates/cards.html"))
	out := map[string]*template.Template{}
	for _, name := range []string{"welcome.html", "settings.html", "password.html", "runs.html", "search.html", "run.html", "confirm.html", "erase.html", "admin.html", "accesstokens.html", "error.html", "privacy.html"} {
		out[name] = template.Must(template.Must(layout.Clone()).ParseFS(files, "templates/"+name))
	}
	return out
}

// dict makes the data of a part out of names and values.
func dict(pairs ...any) map[string]any {
	out := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
	}
	return out
}

// fieldFault is what is wrong with a field; empty where nothing is.
func fieldFault(errs []FieldError, field string) string {
	for _, e := range errs {
		if e.Field == field {
			return e.Message
		}
	}
	return ""
}
