package app_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/tandem-sync/tandem/shared/app"
	"github.com/tandem-sync/tandem/shared/record"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

var update = flag.Bool("update", false, "write what the scenarios of testdata show anew")

// TestScenarios plays the stories of testdata/scenarios: the whole of Tandem between a simulated Creatio and a simulated
// Google. A story begins with the rule in prose. Its sections are steps, in order:
//
//	site                  what the services are like before anything happens: "names are surname first", "Google's lists lag",
//	                      and how soon runs follow: "runs are a minute apart"
//	settings              "direction: to-google", "conflicts: google", "tag: Work"
//	in Creatio            what people do in Creatio, a line "label: value" for each value
//	in Google             what the user does in Google
//	in Tandem             "disconnect Google", "connect again", "erase everything", "the database is lost"
//	wait                  "20 minutes"
//	synchronize           the next automatic run, and what the history says of it
//	synchronize now       the same by the button of the settings page
//	preview               what a run would do
//	approve, reject       a decision about the held run, and the run that follows
//	approve the former list   what is said of a list whose place another one took
//	undo                  what the latest run did is put back
//	cut off after a write to Google   the next automatic run, which is cut off there (only where a test says how)
//	say the same          "Ada Lovelace = Ada King": a contact of each side is one person
//	say different         the same, of two people
//	latest run            what the history says of the latest run
//	doubts                the contacts that wait for the user's word
//	Creatio shows         every contact in Creatio, with who is tagged
//	Google shows          every contact in Google, with the groups
//	tagged                the names under the tag
//	in the group          the names in the group
//
// The first step that needs it connects the accounts and chooses the private tag "On my phone". After the last one a
// further run must change nothing on either side, and neither service may have seen what no client may do.
//
// In a value "\n" is a line break and "{x*300}" is three hundred times x; a statement with "{01..12}" stands for twelve.
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatalf("read scenario: %v", err)
			}
			if *update {
				defer func() {
					if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
						t.Errorf("write scenario: %v", err)
					}
				}()
			}
			tell(t, archive, nil)
		})
	}
}

// tell plays a story and compares what it shows; with -update what it shows is written into the archive.
func tell(t *testing.T, archive *txtar.Archive, cut *cutting) {
	t.Helper()
	if len(strings.TrimSpace(string(archive.Comment))) < 40 {
		t.Error("the story does not begin with its rule")
	}
	var options []change
	apart := 5 * time.Minute
	for _, f := range archive.Files {
		if f.Name == "site" {
			options = append(options, site(t, string(f.Data)))
			if slices.ContainsFunc(statements(string(f.Data)), func(st statement) bool { return st.text == soon }) {
				apart = time.Minute
			}
		}
	}
	if cut != nil {
		options = append(options, unhurried)
	}
	s := &story{world: newWorld(t, options...), settings: map[string]any{
		"automatic": true, "intervalMinutes": 15, "direction": "both", "conflicts": "latest",
	}, apart: apart}
	s.cut, s.undoes = cut, slices.ContainsFunc(archive.Files, func(f txtar.File) bool { return f.Name == "undo" })
	s.tag("Ada", private)
	s.play(archive)
}

// play takes the steps of a story.
func (s *story) play(archive *txtar.Archive) {
	t := s.t
	t.Helper()
	for i := range archive.Files {
		f := &archive.Files[i]
		if f.Name == "site" {
			continue
		}
		step, known := steps[f.Name]
		if !known {
			t.Fatalf("no such step: %s", f.Name)
		}
		s.pass(time.Minute)
		if step.do != nil {
			for _, st := range statements(string(f.Data)) {
				step.do(s, st)
			}
			continue
		}
		got := fold(step.show(s))
		if s.cut != nil && !step.state {
			continue
		}
		if *update {
			f.Data = []byte(got)
		} else if diff := gocmp.Diff(string(f.Data), got); diff != "" {
			t.Errorf("step %d, %s (-want +got):\n%s", i+1, f.Name, diff)
			if s.cut != nil {
				t.Log(s.do(http.MethodGet, "/settings/api/v1/export", nil).body)
			}
		}
	}
	s.settled()
}

// story is a scenario being played.
type story struct {
	*world
	settings map[string]any
	user     string
	// trash are the resource names of contacts that were deleted in Google, by name.
	trash map[string]string
	// cut, where not nil, is how runs of the story are cut off before they are made again.
	cut *cutting
	// undoes says that the story puts back what its latest run did. Then only that is cut off: of a run that was cut off, the
	// next one does the rest.
	undoes bool
	// apart is how long after the step before it a run begins.
	apart time.Duration
}

// soon is a site whose runs begin a minute after the step before them, and not five.
const soon = "runs are a minute apart"

type step struct {
	do   func(*story, statement)
	show func(*story) string
	// state says that the step shows what is there, and not what a run did.
	state bool
}

var steps = map[string]step{
	"settings":                          {do: (*story).set},
	"in Creatio":                        {do: (*story).inCreatio},
	"in Google":                         {do: (*story).inGoogle},
	"in Tandem":                         {do: (*story).inTandem},
	"wait":                              {do: (*story).wait},
	"synchronize":                       {show: (*story).synchronize},
	"synchronize now":                   {show: (*story).synchronizeNow},
	"preview":                           {show: (*story).preview},
	"approve the former list":           {show: (*story).approveFormer},
	"approve":                           {show: func(s *story) string { return s.decide("approve") }},
	"reject":                            {show: func(s *story) string { return s.decide("reject") }},
	"undo":                              {show: (*story).undoLatest},
	"Creatio shows":                     {show: (*story).creatioShows, state: true},
	"Google shows":                      {show: (*story).googleShows, state: true},
	"cut off after a write to Creatio":  {show: func(s *story) string { return s.cutOffAfter(record.Creatio) }},
	"cut off before a write to Creatio": {show: func(s *story) string { return s.cutOffBefore(record.Creatio) }},
	"cut off after a write to Google":   {show: func(s *story) string { return s.cutOffAfter(record.Google) }},
	"tagged":                            {show: (*story).taggedNames, state: true},
	"in the group":                      {show: (*story).groupNames, state: true},
	"say the same":                      {do: func(s *story, st statement) { s.say(st, true) }},
	"say different":                     {do: func(s *story, st statement) { s.say(st, false) }},
	"latest run":                        {show: (*story).latestRun},
	"doubts":                            {show: (*story).doubts},
}

// statement is a line with the indented lines below it.
type statement struct {
	text string
	more []string
}

var numbered = regexp.MustCompile(`\{(\d+)\.\.(\d+)\}`)

// statements reads what is to be done. A line that begins with # is for the reader alone.
func statements(data string) []statement {
	var out []statement
	for line := range strings.Lines(data) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "  ") && len(out) > 0:
			out[len(out)-1].more = append(out[len(out)-1].more, strings.TrimSpace(line))
		default:
			out = append(out, statement{text: line})
		}
	}
	var all []statement
	for _, st := range out {
		all = append(all, st.numbered()...)
	}
	return all
}

// numbered are the statements that one with "{01..12}" stands for.
func (st statement) numbered() []statement {
	m := numbered.FindStringSubmatch(st.text)
	if m == nil {
		return []statement{st}
	}
	from, _ := strconv.Atoi(m[1])
	to, _ := strconv.Atoi(m[2])
	var out []statement
	for n := from; n <= to; n++ {
		text := fmt.Sprintf("%0*d", len(m[1]), n)
		one := statement{text: strings.ReplaceAll(st.text, m[0], text)}
		for _, line := range st.more {
			one.more = append(one.more, strings.ReplaceAll(line, m[0], text))
		}
		out = append(out, one)
	}
	return out
}

var (
	repeated = regexp.MustCompile(`\{([^{}]+)\*(\d+)\}`)
	escapes  = strings.NewReplacer(`\n`, "\n")
)

// value reads a value as it is written in a story.
func value(s string) string {
	s = repeated.ReplaceAllStringFunc(s, func(m string) string {
		parts := repeated.FindStringSubmatch(m)
		n, _ := strconv.Atoi(parts[2])
		return strings.Repeat(parts[1], n)
	})
	return escapes.Replace(s)
}

// fold writes long runs of one character as a story does.
func fold(s string) string {
	const long = 40
	var b strings.Builder
	runes := []rune(s)
	for i := 0; i < len(runes); {
		n := 1
		for i+n < len(runes) && runes[i+n] == runes[i] {
			n++
		}
		if n >= long && runes[i] != '\n' {
			fmt.Fprintf(&b, "{%c*%d}", runes[i], n)
		} else {
			b.WriteString(string(runes[i : i+n]))
		}
		i += n
	}
	return b.String()
}

// shown is a value as a story writes it.
func shown(s string) string {
	return strings.NewReplacer("\r\n", `\n`, "\n", `\n`).Replace(s)
}

// labelled takes "label: value" apart.
func (s *story) labelled(line string) (label, text string) {
	s.t.Helper()
	label, text, ok := strings.Cut(line, ":")
	if !ok {
		s.t.Fatalf("%q is no value: write label: value", line)
	}
	return strings.TrimSpace(label), value(strings.TrimSpace(text))
}

// selected takes "NAME with TEXT", or "NAME without TEXT", apart.
func selected(text string) (name string, fits func(lines string) bool) {
	if name, with, ok := strings.Cut(text, " with "); ok {
		return name, func(lines string) bool { return strings.Contains(lines, with) }
	}
	name, without, ok := strings.Cut(text, " without ")
	return name, func(lines string) bool { return !ok || !strings.Contains(lines, without) }
}

// parts reads "street 1 High St; city London" into its named parts.
func (s *story) parts(text string, names ...string) map[string]string {
	s.t.Helper()
	out := map[string]string{}
	for part := range strings.SplitSeq(text, "; ") {
		found := false
		for _, name := range names {
			if rest, ok := strings.CutPrefix(part, name+" "); ok {
				out[name], found = rest, true
			}
		}
		if !found {
			s.t.Fatalf("%q begins with none of %q", part, names)
		}
	}
	return out
}

// written is the reverse of parts.
func written(pairs ...[2]string) string {
	var out []string
	for _, p := range pairs {
		if p[1] != "" {
			out = append(out, p[0]+" "+p[1])
		}
	}
	return strings.Join(out, "; ")
}

func site(t *testing.T, data string) change {
	t.Helper()
	return func(env map[string]string, o *creatiobox.Options, _ *app.Options) {
		for _, st := range statements(data) {
			switch st.text {
			case "Google's lists lag":
				env[listsLag] = "9m"
			case "Google's groups lag":
				env[groupsLag] = "9m"
			case "Google's reads lag":
				env[readsLag] = "9m"
			case "Google refuses what is unspeakable":
				env[refused] = "unspeakable"
			case soon:
			case "the site's clock is two hours ahead":
				now := o.Now
				o.Now = func() time.Time { return now().Add(2 * time.Hour) }
			case "names are surname first":
				o.NameOrder = "SGM"
			case "names are given name first":
				o.NameOrder = "GMS"
			default:
				t.Fatalf("no site is like this: %s", st.text)
			}
		}
	}
}

// set changes settings, and leaves the others as they are.
func (s *story) set(st statement) {
	s.t.Helper()
	name, text := s.labelled(st.text)
	switch name {
	case "direction", "conflicts":
		s.settings[name] = text
	case "tag":
		s.settings["tagId"] = s.tagNamed(text)
	default:
		s.t.Fatalf("no such setting: %s", name)
	}
	if s.user != "" {
		s.revive()
		s.call(http.MethodPut, "/contacts", s.settings, 200, nil)
	}
	s.begun()
}

// begun connects the accounts and chooses the tag, once.
func (s *story) begun() {
	s.t.Helper()
	if s.user != "" {
		return
	}
	s.connected()
}

func (s *story) connected() {
	s.t.Helper()
	s.link()
	s.user = s.account().ID
	if s.settings["tagId"] == nil {
		s.settings["tagId"] = s.tagNamed(defaultTag)
	}
	s.call(http.MethodPut, "/contacts", s.settings, 200, nil)
}

func (s *story) wait(st statement) {
	s.t.Helper()
	number, unit, _ := strings.Cut(st.text, " ")
	n, err := strconv.Atoi(number)
	units := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	d := units[strings.TrimSuffix(unit, "s")]
	if err != nil || d == 0 {
		s.t.Fatalf("no such time: %s", st.text)
	}
	s.pass(time.Duration(n) * d)
}

// colours are the pictures of stories by what they show.
var colours = map[string]uint8{"dark": 10, "grey": 100, "bright": 200}

// painted is a picture of a colour; nothing for none.
func (s *story) painted(name string) []byte {
	s.t.Helper()
	if name == "" {
		return nil
	}
	of, known := colours[name]
	if !known {
		s.t.Fatalf("no picture is called %s", name)
	}
	return picture(s.t, of)
}

// colour is what a picture shows, whatever a service made of it.
func (s *story) colour(content []byte) string {
	s.t.Helper()
	for name, of := range colours {
		if alike(shade(s.t, content), int(of)) {
			return name
		}
	}
	return "something else"
}
