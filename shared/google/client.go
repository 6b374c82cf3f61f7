// Package google holds what the sides at Google share: the client for a user's API calls, and the classification of errors.
// Each kind of record has its own package below this one.
//
// Its invariants:
//
//   - Every error of an API is classified here, and nowhere else.
//   - No part of a request gets into an error or a log, because it may contain secrets.
package google

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/api/option"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

// Side is the name of this side in errors.
const Side = string(record.Google)

// Options are the settings of a user's calls.
type Options struct {
	// HTTP makes the calls, with the user's authorization.
	HTTP *http.Client
	// Endpoint is one base URL that replaces Google's; empty for Google itself.
	Endpoint string
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger logs what is unusual but no error; default none.
	Logger *slog.Logger
}

// Client makes the calls of one user. Its options include the defaults.
type Client struct {
	Options
	// single is set once the service answered that it has no batches.
	single atomic.Bool
}

// NewClient checks the options and fills in the defaults.
func NewClient(o Options) (*Client, error) {
	if o.HTTP == nil {
		return nil, fault.New(fault.Misconfigured, Side, "http-client", errors.New("make client: no HTTP client"))
	}
	if o.Endpoint != "" {
		u, err := url.Parse(o.Endpoint)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return nil, fault.New(fault.Misconfigured, Side, "endpoint", errors.New("make client: the endpoint is no http address"))
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Client{Options: o}, nil
}

// Service returns the options for a generated client of one of Google's APIs.
func (c *Client) Service() []option.ClientOption {
	// Without this the generated client logs whole requests if the environment asks for it.
	opts := []option.ClientOption{option.WithHTTPClient(c.HTTP), option.WithLogger(slog.New(slog.DiscardHandler))}
	if c.Endpoint != "" {
		opts = append(opts, option.WithEndpoint(strings.TrimSuffix(c.Endpoint, "/")+"/"))
	}
	return opts
}

// Classify classifies the error of a call; see the function of that name.
func (c *Client) Classify(what string, err error, write bool) error {
	return Classify(what, err, write, c.Now())
}
