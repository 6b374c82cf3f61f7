package creatio

import "testing"

func TestParseInfo_finds_the_contact_wherever_it_is(t *testing.T) {
	t.Parallel()
	const contact = "0a0a0a0a-1111-2222-3333-444444444444"
	for name, reply := range map[string]string{
		"nested":          `{"success":true,"userInfo":{"contactId":"` + contact + `","userName":"jo","cultureInfo":{"sysCultureName":"de-DE"}}}`,
		"flat":            `{"contactId":"` + contact + `","userName":"jo","sysCultureName":"de-DE"}`,
		"text in a reply": `{"GetCurrentUserInfoResult":"{\"userInfo\":{\"contactId\":\"` + contact + `\",\"userName\":\"jo\",\"cultureInfo\":{\"sysCultureName\":\"de-DE\"}}}"}`,
		"lookup":          `{"contact":{"value":"` + contact + `","displayValue":"Jo"},"userName":"jo","sysCultureName":"de-DE"}`,
	} {
		i, err := parseInfo([]byte(reply))
		if err != nil {
			t.Fatal(err)
		}
		if i.id("contactid", "contact") != contact || i.text("username") != "jo" || i.text("sysculturename") != "de-DE" {
			t.Errorf("%s: got %v", name, i)
		}
	}
}
