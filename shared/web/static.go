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

	"github.com/tandem-sync/tandem/shared/record"
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

// loadPages reads every page, each with the layout and the parts around it.
func (s *Site) loadPages() map[string]*template.Template {
	funcs := template.FuncMap{
		"link": s.link, "asset": func(name string) string { return s.link("/static/" + s.assets[name].hashed()) },
		"iso":        func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"when":       whenIn(time.UTC),
		"stateWords": stateWords, "stateMark": stateMark, "runMark": runMark, "runWords": runWords, "splitWords": splitWords, "splitLabel": splitLabel,
		"triggerWords": triggerWords, "typeWords": typeWords, "actionWords": actionWords, "waitingWords": waitingWords,
		"undoWords": undoWords, "undoing": undoing, "isMatch": isMatch, "differing": differing, "differingNamed": differingNamed, "valueOf": valueOf,
		"fieldWords": fieldWords, "sideWords": func(side record.Side) string { return sides[side] },
		"jobMark": jobMark, "jobWords": jobWords, "intervalWords": intervalWords, "userMark": userMark, "failures": failures,
		"notConnected": notConnected, "policy": func() string { return s.privacy },
		"runTitle": runTitle, "progressWords": progressWords, "number": number, "several": several, "took": took, "problemsIn": problemsIn,
		"touched": touched, "text": strconv.Itoa, "fault": fieldFault, "dict": dict,
		"grantWords": grantWords, "googleMark": googleMark, "noEntry": func() passwordForm { return passwordForm{} },
	}
	layout := template.Must(template.New("").Funcs(funcs).ParseFS(files, "templates/layout.html", "templates/parts.html", "templates/cards.html"))
	out := map[string]*template.Template{}
	for _, name := range []string{"welcome.html", "settings.html", "password.html", "runs.html", "search.html", "run.html", "confirm.html", "erase.html", "admin.html", "accesstokens.html", "error.html", "privacy.html"} {
		out[name] = template.Must(template.Must(layout.Clone()).ParseFS(files, "templates/"+name))
	}
	return out
}

// whenIn writes times for who has no script that writes them as the reader's own clock does.
func whenIn(zone *time.Location) func(time.Time) string {
	return func(t time.Time) string { return t.In(zone).Format("2 January 2006, 15:04 MST") }
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
