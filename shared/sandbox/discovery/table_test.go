package discovery

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the tables anew, from the discovery documents")

func TestTheTablesSayWhatTheDiscoveryDocumentsSay(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api").Output()
	if err != nil {
		t.Fatalf("find the module with the documents: %v", err)
	}
	for table, path := range map[string]string{
		"people.json":   "people/v1/people-api.json",
		"calendar.json": "calendar/v3/calendar-api.json",
	} {
		raw, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), path))
		if err != nil {
			t.Fatal(err)
		}
		var d document
		if err := json.Unmarshal(raw, &d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		want := layout(t, d.api(t))
		if *update {
			if err := os.WriteFile(table, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(table)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(string(have), string(want)); diff != "" {
			t.Errorf("%s is not what %s says; run go test ./shared/sandbox/discovery -update: (-table +document)\n%s", table, path, diff)
		}
	}
}

// document is a discovery document (https://developers.google.com/discovery/v1/reference/apis).
type document struct {
	Name        string               `json:"name"`
	Version     string               `json:"version"`
	Revision    string               `json:"revision"`
	ServicePath string               `json:"servicePath"`
	BatchPath   string               `json:"batchPath"`
	Parameters  map[string]*property `json:"parameters"`
	Schemas     map[string]*property `json:"schemas"`
	resource
}

type resource struct {
	Methods   map[string]*rpc     `json:"methods"`
	Resources map[string]resource `json:"resources"`
}

type rpc struct {
	ID          string               `json:"id"`
	Description string               `json:"description"`
	HTTPMethod  string               `json:"httpMethod"`
	Path        string               `json:"path"`
	Scopes      []string             `json:"scopes"`
	Parameters  map[string]*property `json:"parameters"`
	Request     struct {
		Ref string `json:"$ref"`
	} `json:"request"`
}

type property struct {
	Description          string               `json:"description"`
	Type                 string               `json:"type"`
	Format               string               `json:"format"`
	Ref                  string               `json:"$ref"`
	Items                *property            `json:"items"`
	AdditionalProperties *property            `json:"additionalProperties"`
	Properties           map[string]*property `json:"properties"`
	Enum                 []string             `json:"enum"`
	Pattern              string               `json:"pattern"`
	Minimum              string               `json:"minimum"`
	Maximum              string               `json:"maximum"`
	Location             string               `json:"location"`
	Repeated             bool                 `json:"repeated"`
	Required             bool                 `json:"required"`
	ReadOnly             bool                 `json:"readOnly"`
	Annotations          struct {
		Required []string `json:"required"`
	} `json:"annotations"`
}

// api is the table of a document.
func (d *document) api(t *testing.T) *API {
	a := &API{
		Name: d.Name, Version: d.Version, Revision: d.Revision, Path: "/" + d.ServicePath, Batch: "/" + d.BatchPath,
		Parameters: values(t, d.Parameters), Methods: map[string]*Method{}, Schemas: map[string]*Value{},
	}
	d.walk(func(m *rpc) {
		a.Methods[m.ID] = &Method{
			Verb: m.HTTPMethod, Path: m.Path, Scopes: m.Scopes, Body: m.Request.Ref, Parameters: values(t, m.Parameters),
		}
		includeField(a.Methods[m.ID].Parameters)
		d.need(t, a.Schemas, m.Request.Ref)
	})
	d.walk(func(m *rpc) {
		// A field without which the service refuses the request is no read-only one, whatever else is said of it.
		for _, found := range regexp.MustCompile("400 error if `person\\.([a-z]+)\\.[a-z.]+` is not specified").FindAllStringSubmatch(m.Description, -1) {
			a.Schemas[m.Request.Ref].Fields[found[1]].ReadOnly = false
		}
	})
	return a
}

func (r resource) walk(do func(*rpc)) {
	for _, name := range slices.Sorted(maps.Keys(r.Methods)) {
		do(r.Methods[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.Resources)) {
		r.Resources[name].walk(do)
	}
}

// need takes a schema into the table, and those that it is made of.
func (d *document) need(t *testing.T, into map[string]*Value, name string) {
	if name == "" || into[name] != nil {
		return
	}
	into[name] = value(t, d.Schemas[name])
	var refer func(*Value)
	refer = func(v *Value) {
		if v == nil {
			return
		}
		d.need(t, into, v.Ref)
		refer(v.Items)
		refer(v.Values)
		for _, f := range v.Fields {
			refer(f)
		}
	}
	refer(into[name])
}

func values(t *testing.T, in map[string]*property) map[string]*Value {
	out := map[string]*Value{}
	for name, p := range in {
		out[name] = value(t, p)
	}
	return out
}

var (
	masks   = regexp.MustCompile(`(?i)valid (?:values|fields) are:((?: \* \w+)+)`)
	between = regexp.MustCompile(`between (\d+) and (\d+), inclusive`)
	// readOnly is how the documents say it where they do not mark the field.
	readOnly = regexp.MustCompile(`^Output only\.|Read-[oO]nly\.`)
)

func value(t *testing.T, p *property) *Value {
	if p == nil {
		return nil
	}
	v := &Value{
		Type: p.Type, Format: p.Format, Ref: p.Ref, Items: value(t, p.Items), Values: value(t, p.AdditionalProperties),
		Enum: p.Enum, Pattern: p.Pattern, Minimum: number(t, p.Minimum), Maximum: number(t, p.Maximum),
		Location: p.Location, Repeated: p.Repeated, Required: p.Required, RequiredBy: p.Annotations.Required,
		ReadOnly: p.ReadOnly || readOnly.MatchString(p.Description),
	}
	if len(p.Properties) > 0 {
		v.Fields = values(t, p.Properties)
	}
	if p.Format == "google-fieldmask" {
		for _, list := range masks.FindAllStringSubmatch(p.Description, -1) {
			v.Mask = append(v.Mask, strings.Fields(strings.ReplaceAll(list[1], "*", " "))...)
		}
		slices.Sort(v.Mask)
		v.Mask = slices.Compact(v.Mask)
	}
	if found := between.FindStringSubmatch(p.Description); found != nil && p.Type == "integer" {
		v.Minimum, v.Maximum = cmp.Or(v.Minimum, number(t, found[1])), cmp.Or(v.Maximum, number(t, found[2]))
		v.ZeroDefault = strings.Contains(p.Description, "or set to 0")
	}
	return v
}

// includeField gives the older spelling of personFields the same paths, each with the beginning that it asks for.
func includeField(parameters map[string]*Value) {
	older, newer := parameters["requestMask.includeField"], parameters["personFields"]
	if older == nil || newer == nil {
		return
	}
	for _, path := range newer.Mask {
		older.Mask = append(older.Mask, "person."+path)
	}
}

func number(t *testing.T, text string) *int64 {
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return &n
}

// layout writes a table so that a line is about one thing: what fits into a line is on one.
func layout(t *testing.T, v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var any any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&any); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	lines(t, &b, any, "")
	b.WriteByte('\n')
	return b.Bytes()
}

func lines(t *testing.T, b *bytes.Buffer, v any, indent string) {
	compact, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	object, is := v.(map[string]any)
	if !is || len(indent)+len(compact) <= 160 {
		b.Write(compact)
		return
	}
	b.WriteString("{")
	for i, key := range slices.Sorted(maps.Keys(object)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n" + indent + "  " + strconv.Quote(key) + ": ")
		lines(t, b, object[key], indent+"  ")
	}
	b.WriteString("\n" + indent + "}")
}
