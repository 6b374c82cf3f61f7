// Package google is what the sides at Google have in common: how a user's API calls are made, and what their errors mean.
// Each kind of records has a package of its own below this one.
//
// Its invariants:
//
//   - Every error of an API is given its kind here, and nowhere else.
//   - Nothing of a request, in which secrets may be, gets into an error or a log.
package google

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/api/option"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

// Side is the name of this side in errors.
const Side = string(record.Google)

// Options are the settings of a user's calls.
type Options struct {
	// HTTP makes the calls, signed for the user.
	HTTP *http.Client
	// Endpoint is one base URL in place of Google's; empty for Google itself.
	Endpoint string
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger hears what is odd but no error; default silent.
	Logger *slog.Logger
}

// Client makes the calls of one user. Options that were left out have their defaults in it.
type Client struct{ Options }

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
	return &Client{o}, nil
}

// Service are the options of a generated client of one of Google's APIs.
func (c *Client) Service() []option.ClientOption {
	// The generated client would log whole requests where the environment asks for it.
	opts := []option.ClientOption{option.WithHTTPClient(c.HTTP), option.WithLogger(slog.New(slog.DiscardHandler))}
	if c.Endpoint != "" {
		opts = append(opts, option.WithEndpoint(strings.TrimSuffix(c.Endpoint, "/")+"/"))
	}
	return opts
}

// Classify is the error of a call with its kind; see the function of that name.
func (c *Client) Classify(what string, err error, write bool) error {
	return Classify(what, err, write, c.Now())
}
