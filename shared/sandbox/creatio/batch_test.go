package creatio_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// batch sends parts, each as "method url body", or "group: method url body", and gives the statuses by id, which is the
// number of the part.
func (w *world) batch(h *http.Client, prefer string, parts ...string) string {
	w.t.Helper()
	var requests []map[string]any
	for i, p := range parts {
		r := map[string]any{"id": fmt.Sprint(i + 1), "headers": map[string]string{"Content-Type": "application/json"}}
		if group, rest, found := strings.Cut(p, ": "); found {
			r["atomicityGroup"], p = group, rest
		}
		words := strings.SplitN(p, " ", 3)
		r["method"], r["url"] = words[0], words[1]
		if len(words) == 3 {
			r["body"] = json.RawMessage(words[2])
		}
		if words[1] == "$1" {
			r["dependsOn"] = []string{"1"}
		}
		requests = append(requests, r)
	}
	body, _ := json.Marshal(map[string]any{"requests": requests})
	a := w.send(h, http.MethodPost, "/0/odata/$batch", string(body), "Prefer", prefer)
	if a.status != http.StatusOK {
		return fmt.Sprint(a.status)
	}
	var out []string
	for _, r := range a.json["responses"].([]any) {
		r := r.(map[string]any)
		out = append(out, fmt.Sprint(r["id"], "=", r["status"]))
	}
	return strings.Join(out, " ")
}

func TestBatches_stop_or_go_on_and_groups_happen_whole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{Transactions: true})
	h := w.ann()
	const goOn = "continue-on-error"
	for _, tc := range []struct {
		name, prefer string
		parts        []string
		want         string
		rows         int
	}{
		{"stops at an error", "", []string{`POST Job {"Name":"1"}`, "GET Nonsense", `POST Job {"Name":"2"}`}, "1=201 2=404", 1},
		{"goes on", goOn, []string{"GET Nonsense", `POST Job {"Name":"2"}`, "GET Job?$count=true"}, "1=404 2=201 3=200", 1},
		{"a group fails", goOn, []string{`g: POST Job {"Name":"1"}`, `g: POST Job {"Nonsense":"1"}`, `g: POST Job {"Name":"3"}`, "GET Job"}, "2=400 4=200", 0},
		{"a group succeeds", "", []string{`g: POST Job {"Name":"1"}`, `g: PATCH $1 {"Name":"2"}`}, "1=201 2=204", 1},
		{"depends on a failure", goOn, []string{`POST Job {"Nonsense":"1"}`, `PATCH $1 {"Name":"2"}`}, "1=400 2=424", 0},
		{"absolute addresses", "", []string{"GET /0/odata/Job", "GET " + w.url + "/0/odata/Job?$filter=Name%20eq%20'a%20b'"}, "1=200 2=200", 0},
		{"a group that is torn", "", []string{`g: POST Job {"Name":"1"}`, "GET Job", `g: POST Job {"Name":"3"}`}, "400", 0},
	} {
		for _, r := range w.box.System().Rows("Job", nil) {
			_ = w.box.System().Delete("Job", r["Id"].(string))
		}
		if got := w.batch(h, tc.prefer, tc.parts...); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
		if n := len(w.box.System().Rows("Job", nil)); n != tc.rows {
			t.Errorf("%s: %d rows, want %d", tc.name, n, tc.rows)
		}
	}
}

func TestWhat_a_group_did_before_it_failed_stays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	got := w.batch(w.ann(), "continue-on-error", `g: POST Job {"Name":"1"}`, `g: POST Job {"Nonsense":"1"}`, `g: POST Job {"Name":"3"}`, `POST Job {"Name":"4"}`)
	if n := len(w.box.System().Rows("Job", nil)); got != "2=400 4=201" || n != 2 {
		t.Errorf("got %s and %d rows, want the first and the last", got, n)
	}
}

func TestA_part_fails_as_a_test_has_it_fail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	faults := map[string]*creatio.Fault{
		"PATCH": {Bare: true, Status: 500}, "DELETE": {Drop: true}, "POST": {Status: 500, After: true},
	}
	w.box.SetPartFault(func(method, url string) *creatio.Fault { return faults[method] })
	id := w.insert("Job", map[string]any{"Name": "1"})
	got := w.batch(w.ann(), "continue-on-error", `POST Job {"Name":"2"}`, `PATCH Job(`+id+`) {"Name":"3"}`, "DELETE Job("+id+")", "GET Job")
	if n := len(w.box.System().Rows("Job", map[string]any{"Name": "2"})); got != "1=500 2=500 4=200" || n != 1 {
		t.Errorf("got %s and %d rows of what was made", got, n)
	}
}

func TestA_batch_of_more_than_a_hundred_is_refused_and_noted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	h := w.ann()
	parts := make([]string, 101)
	for i := range parts {
		parts[i] = "GET Job?$top=1"
	}
	if got := w.batch(h, "", parts...); got != "400" || len(w.box.Violations()) != 1 {
		t.Errorf("got %s, %v", got, w.box.Violations())
	}
	if got := w.batch(h, "", parts[:100]...); !strings.HasSuffix(got, "100=200") {
		t.Errorf("got %s", got)
	}
}
