package config_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/config"
)

// hidden holds a configuration in an unexported field, which fmt reads without calling its methods.
type hidden struct {
	config config.Config
	secret config.Secret
	many   map[string]config.Secret
}

func TestA_secret_is_never_printed_logged_or_marshaled(t *testing.T) {
	t.Parallel()
	secret := config.NewSecret("hunter2")
	c := config.Config{Google: config.Google{ClientSecret: secret}, Creatio: config.Creatio{ClientSecret: secret}}
	values := []any{
		secret, &secret,
		[]config.Secret{secret},
		map[config.Secret]int{secret: 1},
		c, &c,
		hidden{c, secret, map[string]config.Secret{"a": secret}},
		&hidden{config: c, secret: secret},
	}
	var out strings.Builder
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%s", "%x", "%X", "%d", "%10v", "%T", "%t"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		if j, err := json.Marshal(value); err == nil {
			out.Write(j)
		}
		if x, err := xml.Marshal(value); err == nil {
			out.Write(x)
		}
		var log bytes.Buffer
		for _, h := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
			slog.New(h).Info("x", slog.Any("value", value), slog.Group("g", slog.Any("value", value)))
		}
		out.Write(log.Bytes())
	}
	for _, leak := range []string{"hunter2", fmt.Sprintf("%x", "hunter2"), fmt.Sprintf("%X", "hunter2"), fmt.Sprintf("%d", []byte("hunter2"))} {
		if i := strings.Index(out.String(), leak); i >= 0 {
			t.Errorf("got %q in …%s", leak, out.String()[max(0, i-200):i+len(leak)])
		}
	}
	if secret.Reveal() != "hunter2" {
		t.Errorf("got %q from Reveal", secret.Reveal())
	}
}

func TestSecrets_print_as_redacted_and_no_secret_as_nothing(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"%v": "[redacted]", "%q": `"[redacted]"`, "%#v": `"[redacted]"`, "%x": "[redacted]"} {
		if got := fmt.Sprintf(format, config.NewSecret("hunter2")); got != want {
			t.Errorf("%s: got %s, want %s", format, got, want)
		}
	}
	if got := fmt.Sprint(config.Secret{}, config.NewSecret("")); got != " " {
		t.Errorf("got %q for no secret", got)
	}
}

func TestSecrets_are_equal_by_their_text(t *testing.T) {
	t.Parallel()
	a, b, c := config.NewSecret("a"), config.NewSecret("a"), config.NewSecret("b")
	if !a.Equal(b) || a.Equal(c) || a.Equal(config.Secret{}) || !config.NewSecret("").Equal(config.Secret{}) {
		t.Error("secrets do not compare by their text")
	}
	if a.IsZero() || !config.NewSecret("").IsZero() {
		t.Error("IsZero does not tell whether there is a secret")
	}
}
