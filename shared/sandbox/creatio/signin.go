package creatio

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// User is a user of the site.
type User struct {
	// Name is the login.
	Name, Password string
	// ContactName is the name of the user's contact, Email its address; default for the name: the login.
	ContactName, Email string
	// TimeZone is the zone's id as the site stores it; empty where the site does not say.
	TimeZone string
	// Culture is as "en-US", the default.
	Culture string
	// Active says that the user may sign in. Portal users come from outside of the company.
	Active, Portal bool
	// ContactID and ID are the ids of the contact and of the user's own row; default new ones. A contact of that id that
	// is there already becomes the user's.
	ContactID, ID string
}

// session is one session of forms authentication.
type session struct {
	User, Loader, CSRF string
	Used               time.Time
}

// AddUser makes a user with a contact, or replaces the one of that login, and gives the ids of both.
func (s *Server) AddUser(u User) (userID, contactID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.state.Users[u.Name]
	for _, d := range []struct {
		to    *string
		value string
	}{
		{&u.ContactName, u.Name},
		{&u.Culture, "en-US"},
		{&u.ID, before.UnitID},
		{&u.ContactID, before.ContactID},
		{&u.ID, s.o.NewID()},
		{&u.ContactID, s.o.NewID()},
	} {
		if *d.to == "" {
			*d.to = d.value
		}
	}
	u.ID, u.ContactID = lower(u.ID), lower(u.ContactID)
	t := s.begin(actor{contact: supervisor, system: true})
	if t.row("Contact", u.ContactID) == nil {
		s.must(t.insert(s.schema["Contact"], row{
			"Id": u.ContactID, "Name": u.ContactName, "Email": u.Email, "TypeId": "60733efc-f36b-1410-a883-16d83cab0980",
		}))
	}
	connection := int64(connectedInside)
	if u.Portal {
		connection = connectedByPortal
	}
	unit := row{
		"Name": u.Name, "ContactId": u.ContactID, "TimeZoneId": u.TimeZone, "Active": u.Active, "ConnectionType": connection,
		"SysAdminUnitTypeValue": int64(unitUser), "SysCultureId": s.culture(t, u.Culture), "Email": u.Email,
	}
	if t.row("SysAdminUnit", u.ID) != nil {
		s.must(nil, t.update(s.schema["SysAdminUnit"], u.ID, unit))
	} else {
		unit["Id"] = u.ID
		s.must(t.insert(s.schema["SysAdminUnit"], unit))
	}
	s.state.Users[u.Name] = account{User: u, UnitID: u.ID}
	return u.ID, u.ContactID
}

func (s *Server) culture(t *tx, name string) string {
	for id, r := range s.state.table(cultureList).Rows {
		if r["Name"] == name {
			return id
		}
	}
	return s.must(t.insert(s.schema[cultureList], row{"Name": name})).text("Id")
}

// must is for rows that whoever sets up the site describes: what is wrong with them is a mistake of the program.
func (s *Server) must(r row, err error) row {
	if err != nil {
		panic("sandbox: " + err.Error())
	}
	return r
}

// secret is a random text that nobody guesses.
func secret() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// login begins a session. A wrong password is answered with status 200 and a code.
func (s *Server) login(w *response, r *http.Request, body []byte) {
	if r.Method != http.MethodPost {
		page(w, http.StatusMethodNotAllowed, "Method not allowed.", "")
		return
	}
	var in struct{ UserName, UserPassword string }
	if !isJSON(r.Header.Get("Content-Type")) || json.Unmarshal(body, &in) != nil {
		page(w, http.StatusBadRequest, "Request Error", "<p>The server encountered an error processing the request.</p>")
		return
	}
	answer := map[string]any{"Code": 0, "Message": "", "Exception": nil, "PasswordChangeUrl": nil, "RedirectUrl": nil}
	u, known := s.state.Users[in.UserName]
	if !known || !u.Active || u.Password != in.UserPassword {
		answer["Code"], answer["Message"] = 1, "You have entered an incorrect username or password, or your user is not active."
		writeJSON(w, http.StatusOK, jsonMedia, answer)
		return
	}
	id, in2 := secret(), session{User: u.Name, Loader: secret(), CSRF: secret(), Used: s.now()}
	s.state.Sessions[id] = in2
	var codes []string
	for _, c := range u.Name {
		codes = append(codes, strconv.Itoa(int(c)))
	}
	for _, c := range []http.Cookie{
		{Name: "BPMLOADER", Value: in2.Loader, HttpOnly: true},
		{Name: ".ASPXAUTH", Value: id, HttpOnly: true},
		{Name: "BPMCSRF", Value: in2.CSRF},
		{Name: "UserName", Value: url.QueryEscape(strings.Join(codes, "|"))},
		{Name: "UserType", Value: "General"},
	} {
		c.Path, c.SameSite = "/", http.SameSiteLaxMode
		w.header.Add("Set-Cookie", c.String())
	}
	writeJSON(w, http.StatusOK, jsonMedia, answer)
}

// loginPage is where a browser without a session is sent.
func (s *Server) loginPage() string {
	if s.o.Layout == Framework {
		return "/Login/NuiLogin.aspx"
	}
	return "/Login/Login.html"
}

// authenticate finds out who a request is from, by its token or by its session, or refuses it.
func (s *Server) authenticate(w *response, r *http.Request) (actor, bool) {
	if header := r.Header.Get("Authorization"); header != "" {
		token, _ := strings.CutPrefix(header, "Bearer ")
		g, known := s.state.Access[token]
		if !known || !s.now().Before(g.Expires) || !s.state.Users[g.User].Active {
			w.header.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			page(w, http.StatusUnauthorized, "401 - Unauthorized", "")
			return actor{}, false
		}
		return s.actorOf(g.User), true
	}
	id, in, ok := s.session(r)
	switch {
	case ok && r.Header.Get("BPMCSRF") != in.CSRF:
		page(w, http.StatusForbidden, "403 - Forbidden: Access is denied.", "")
		return actor{}, false
	case ok:
		in.Used = s.now()
		s.state.Sessions[id] = in
		return s.actorOf(in.User), true
	case r.Header.Get("ForceUseSession") == "true":
		page(w, http.StatusUnauthorized, "401 - Unauthorized: Access is denied due to invalid credentials.", "")
	default:
		to := s.loginPage() + "?" + url.Values{"ReturnUrl": {r.URL.RequestURI()}}.Encode()
		w.header.Set("Location", to)
		page(w, http.StatusFound, "Object moved", `<p>Object moved to <a href="`+escape(to)+`">here</a>.</p>`)
	}
	return actor{}, false
}

// session is the session that a request's cookies name, if it has not ended.
func (s *Server) session(r *http.Request) (string, session, bool) {
	auth, err := r.Cookie(".ASPXAUTH")
	loader, err2 := r.Cookie("BPMLOADER")
	if err != nil || err2 != nil {
		return "", session{}, false
	}
	in, known := s.state.Sessions[auth.Value]
	if !known || in.Loader != loader.Value || s.now().Sub(in.Used) > idle || !s.state.Users[in.User].Active {
		return "", session{}, false
	}
	return auth.Value, in, true
}
