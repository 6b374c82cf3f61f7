package creatio

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/odata"
)

// User is a user of a site.
type User struct {
	ID        string `json:"id"`
	Login     string `json:"login"`
	ContactID string `json:"contactId"`
	Name      string `json:"name"`
	Email     string `json:"email,omitempty"`
	// TimeZone is the zone's id as the site stores it; empty if the site does not say.
	TimeZone string `json:"timeZone,omitempty"`
	Culture  string `json:"culture,omitempty"`
}

// Region is the country of the user's culture, as "US" of "en-US"; empty for a culture of a language alone.
func (u User) Region() string {
	tag, err := language.Parse(u.Culture)
	if err != nil {
		return ""
	}
	region, confidence := tag.Region()
	if confidence != language.Exact || !region.IsCountry() {
		return ""
	}
	return region.String()
}

// The values of SysAdminUnit for an internal user, as opposed to a role or a portal user.
const (
	unitUser         = 4
	internalConnType = 0
)

const maxUserReply = 256 << 10

// CurrentUser returns the user for whom the site processes the requests.
func (s *Site) CurrentUser(ctx context.Context) (User, error) {
	info, err := s.userInfo(ctx)
	if err != nil {
		return User{}, err
	}
	u := User{
		ID: info.id("userid", "sysadminunitid", "sysadminunit", "user"), ContactID: info.id("contactid", "contact", "usercontactid"),
		Login: info.text("userlogin", "login", "username"), Name: info.text("contactname", "displayname", "fullname"),
		Email: info.text("email"), TimeZone: info.text("timezoneid", "timezonecode", "timezone"), Culture: info.culture(),
	}
	if u.ContactID == "" {
		return User{}, fault.New(fault.Misconfigured, Side, "no-contact", errors.New("read current user: the reply names no contact"))
	}
	return s.complete(ctx, u)
}

// complete adds data from the user's contact and user row. If the user may not read the system table, the data that only
// it has remains empty.
func (s *Site) complete(ctx context.Context, u User) (User, error) {
	answers, err := s.Read(odata.Small(ctx), []odata.Query{
		{Set: "Contact", Select: []string{"Id", "Name", "Email"}, Filter: odata.Eq("Id", odata.Guid(u.ContactID)), Top: 1},
		{Set: "SysAdminUnit", Select: unitColumns(), Filter: odata.And(
			odata.Eq("Contact/Id", odata.Guid(u.ContactID)), odata.Eq("SysAdminUnitTypeValue", odata.Int(unitUser))), Top: 2},
	})
	if err != nil {
		return User{}, err
	}
	if rows := answers[0].Rows; answers[0].Err == nil && len(rows) == 1 {
		u.Name = cmp.Or(rows[0].Text("Name"), u.Name)
		u.Email = cmp.Or(u.Email, rows[0].Text("Email"))
	}
	if rows := answers[1].Rows; answers[1].Err == nil && len(rows) == 1 {
		u.ID, u.Login = cmp.Or(u.ID, rows[0].Text("Id")), cmp.Or(rows[0].Text("Name"), u.Login)
		u.TimeZone, u.Email = cmp.Or(rows[0].Text("TimeZoneId"), u.TimeZone), cmp.Or(u.Email, rows[0].Text("Email"))
	}
	u.ID = cmp.Or(u.ID, u.ContactID)
	return u, nil
}

// Culture returns the culture of the user for whom the site processes the requests; empty if the site does not say.
func (s *Site) Culture(ctx context.Context) (string, error) {
	info, err := s.userInfo(ctx)
	if err != nil {
		return "", err
	}
	return info.culture(), nil
}

// CultureOf returns the culture of another user, by the user's contact; empty if the user's row may not be read.
func (s *Site) CultureOf(ctx context.Context, contactID string) (string, error) {
	answers, err := s.Attempt(odata.Small(ctx), []odata.Query{{
		Set: "SysAdminUnit", Select: []string{"Id"}, Expand: []odata.Expand{{Name: "SysCulture", Select: []string{"Id", "Name"}}},
		Filter: odata.And(odata.Eq("Contact/Id", odata.Guid(contactID)), odata.Eq("SysAdminUnitTypeValue", odata.Int(unitUser))), Top: 2,
	}})
	if err != nil || answers[0].Err != nil || len(answers[0].Rows) != 1 {
		return "", err
	}
	return answers[0].Rows[0].Nested("SysCulture").Text("Name"), nil
}

func unitColumns() []string {
	return []string{"Id", "Name", "ContactId", "TimeZoneId", "Email", "Active", "ConnectionType", "SysAdminUnitTypeValue"}
}

// userInfo calls UserInfoService.svc, whose reply has a different form in each version.
func (s *Site) userInfo(ctx context.Context) (info, error) {
	address := s.base + s.layout.prefix() + "/ServiceModel/UserInfoService.svc/GetCurrentUserInfo"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader([]byte("{}")))
	if err != nil {
		return nil, fault.Errorf(fault.Misconfigured, Side, "bad-url", "make user request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Accept", "application/json")
	resp, err := s.options.HTTP.Do(req)
	if err != nil {
		if _, classified := errors.AsType[*fault.Error](err); classified {
			return nil, err
		}
		return nil, fault.Errorf(fault.Retry, Side, "unreachable", "read current user: %w", err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxUserReply))
	switch {
	case err != nil:
		return nil, fault.Errorf(fault.Retry, Side, "connection-lost", "read current user: %w", err)
	case httpx.WantsSignIn(req, resp):
		// The transport has signed in again before, so the access is valid and this is temporary.
		return nil, fault.Errorf(fault.Retry, Side, "signed-out", "read current user: status %d", resp.StatusCode)
	case resp.StatusCode == http.StatusForbidden:
		return nil, fault.Errorf(fault.Misconfigured, Side, "no-access", "read current user: status %d", resp.StatusCode)
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests:
		return nil, fault.Errorf(fault.Retry, Side, "unavailable", "read current user: status %d", resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return nil, fault.Errorf(fault.Misconfigured, Side, "no-user-service", "read current user: status %d", resp.StatusCode)
	}
	return parseInfo(content)
}

// info holds the values of a reply by their property names in lower case, from all levels of the reply.
type info map[string]any

// parseInfo flattens a reply. A property may hold the whole reply as JSON in a string.
func parseInfo(content []byte) (info, error) {
	var root any
	if err := json.Unmarshal(content, &root); err != nil {
		return nil, fault.New(fault.Misconfigured, Side, "no-user-service", errors.New("read current user: the reply is no JSON"))
	}
	out := info{}
	level := []any{root}
	for depth := 0; len(level) > 0 && depth < 8; depth++ {
		var next []any
		for _, v := range level {
			switch v := v.(type) {
			case string:
				var inner any
				if text := strings.TrimSpace(v); strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &inner) == nil {
					next = append(next, inner)
				}
			case map[string]any:
				for _, name := range slices.Sorted(maps.Keys(v)) {
					// A property at an outer level is the user's; one at an inner level may belong to a record that the user refers to.
					if key := strings.ToLower(name); out[key] == nil {
						out[key] = v[name]
					}
					next = append(next, v[name])
				}
			}
		}
		level = next
	}
	return out, nil
}

// text returns the first of the properties that is not empty.
func (i info) text(names ...string) string {
	for _, n := range names {
		switch v := i[n].(type) {
		case string:
			if v != "" && !strings.HasPrefix(strings.TrimSpace(v), "{") {
				return v
			}
		case map[string]any:
			if t, ok := v["displayValue"].(string); ok && t != "" {
				return t
			}
		}
	}
	return ""
}

func (i info) culture() string { return i.text("sysculturename", "culturename") }

// id returns the first of the properties that is an id.
func (i info) id(names ...string) string {
	for _, n := range names {
		v := i[n]
		if m, ok := v.(map[string]any); ok {
			v = cmp.Or(m["value"], m["id"], m["Id"])
		}
		if t, ok := v.(string); ok && len(t) == len(noGUID) && t != noGUID {
			return strings.ToLower(t)
		}
	}
	return ""
}

// FindUserByEmail finds the one active internal user with an e-mail address. If there is none, the error is
// fault.BadRecord with code "no-user". If there are several, including portal users, it has code "ambiguous-user": a user
// who shares an address with a colleague must not be linked as that colleague. Only the address in the user's own row
// counts, which administrators write; the address of a contact may be changed by any user who may edit the contact. If
// users may not be read, the error is fault.Misconfigured.
func (s *Site) FindUserByEmail(ctx context.Context, email string) (User, error) {
	email = strings.TrimSpace(email)
	spellings := Unique([]string{email, strings.ToLower(email)})
	answers, err := s.ReadAll(odata.Small(ctx), []odata.Query{{Set: "SysAdminUnit", Select: unitColumns(), Filter: odata.And(
		odata.Eq("Active", odata.Bool(true)), odata.Eq("SysAdminUnitTypeValue", odata.Int(unitUser)), odata.In("Email", Texts(spellings)))}})
	if fault.Is(err, fault.Misconfigured) {
		return User{}, fault.New(fault.Misconfigured, Side, "users-closed", err)
	}
	if err != nil {
		return User{}, err
	}
	users := slices.DeleteFunc(answers[0].Rows, func(r odata.Row) bool { return !strings.EqualFold(r.Text("Email"), email) })
	switch {
	case len(users) > 1:
		return User{}, fault.New(fault.BadRecord, Side, "ambiguous-user", errors.New("find user: several have the address"))
	case email == "", len(users) == 0, users[0].Int("ConnectionType") != internalConnType:
		return User{}, fault.New(fault.BadRecord, Side, "no-user", errors.New("find user: none has the address"))
	}
	r := users[0]
	return User{ID: r.Text("Id"), Login: r.Text("Name"), ContactID: r.Lookup("ContactId"), Email: email, TimeZone: r.Text("TimeZoneId")}, nil
}

// Unique returns the values that are not empty, sorted and without duplicates.
func Unique(values []string) []string {
	values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
	slices.Sort(values)
	return slices.Compact(values)
}
