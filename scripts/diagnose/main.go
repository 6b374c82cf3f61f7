// Command diagnose asks a Creatio site and a Google account what only they can tell; see scripts/doctor. It speaks to them with
// requests of its own and not with Tandem's clients, whose workarounds would hide the answers.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r := &report{out: os.Stdout}
	if err := diagnose(ctx, r, os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "doctor:", err)
		os.Exit(1)
	}
}

// diagnose asks the services that the environment names.
func diagnose(ctx context.Context, r *report, env func(string) string) error {
	asked := false
	var errs []error
	if site := strings.TrimRight(env("CREATIO_URL"), "/"); site != "" {
		asked = true
		errs = append(errs, askCreatio(ctx, r, site, env))
	}
	if token := env("GOOGLE_ACCESS_TOKEN"); token != "" {
		asked = true
		errs = append(errs, askGoogle(ctx, r, token, env))
	}
	if !asked {
		return errors.New("set CREATIO_URL, GOOGLE_ACCESS_TOKEN or both; see scripts/doctor")
	}
	return errors.Join(errs...)
}

// report prints answers as they come.
type report struct {
	out     io.Writer
	answers map[string]string
}

func (r *report) service(name string) { _, _ = fmt.Fprintf(r.out, "\n%s\n", name) }

// say answers a question with yes or no, and what that follows from.
func (r *report) say(question string, yes bool, detail string, args ...any) {
	word := "no"
	if yes {
		word = "yes"
	}
	r.write(word, question, detail, args...)
}

// skip says why a question was not asked.
func (r *report) skip(question, why string, args ...any) { r.write("?", question, why, args...) }

func (r *report) write(word, question, detail string, args ...any) {
	if r.answers == nil {
		r.answers = map[string]string{}
	}
	r.answers[question] = word
	_, _ = fmt.Fprintf(r.out, "%-4s %s", word, question)
	if detail = fmt.Sprintf(detail, args...); detail != "" {
		_, _ = fmt.Fprintf(r.out, " (%s)", detail)
	}
	_, _ = fmt.Fprintln(r.out)
}

// caller sends requests with what signs them in.
type caller struct {
	http   *http.Client
	base   string
	header http.Header
}

// reply is an answer; value is its JSON.
type reply struct {
	status int
	body   []byte
	value  map[string]any
}

func (a reply) ok() bool { return a.status >= 200 && a.status < 300 }

// text is a property of the answer.
func (a reply) text(name string) string {
	t, _ := a.value[name].(string)
	return t
}

// rows are the records of a list.
func (a reply) rows() []map[string]any {
	list, _ := a.value["value"].([]any)
	var out []map[string]any
	for _, item := range list {
		if row, ok := item.(map[string]any); ok {
			out = append(out, row)
		}
	}
	return out
}

// call makes one request. Only a request that was not answered is an error.
func (c *caller) call(ctx context.Context, method, path string, body any) (reply, error) {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return reply{}, err
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return reply{}, err
	}
	req.Header = c.header.Clone()
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return reply{}, fmt.Errorf("%s %s was not answered: %w", method, strings.SplitN(path, "?", 2)[0], errors.Unwrap(err))
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return reply{}, fmt.Errorf("%s %s broke off: %w", method, strings.SplitN(path, "?", 2)[0], err)
	}
	out := reply{status: resp.StatusCode, body: raw}
	_ = json.Unmarshal(raw, &out.value) // What is no JSON has no value.
	return out, nil
}

// newCaller is one that follows no redirect: a redirect is a page in the place of an answer.
func newCaller(base string) *caller {
	jar, _ := cookiejar.New(nil) // never fails
	return &caller{base: base, header: http.Header{}, http: &http.Client{
		Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}
