package sample

import (
	"fmt"
	"strings"
)

// region is where people live and work.
type region struct {
	code string
	// places are street, zip, city, region and country.
	places [][5]string
	mobile numbers
	fixed  numbers
	// companies are whom people there work for.
	companies []string
}

// numbers are a range of telephone numbers that no subscriber ever gets.
type numbers struct {
	// format makes the n-th number, grouped as people write it.
	format string
	// from is the first number of the range and size how many there are.
	from, size int
	// trunk is what stands for the country code within the country.
	country, trunk string
}

// number is the n-th number of the range, with neighbors apart.
func (r numbers) number(n int) string {
	if n >= r.size {
		panic(fmt.Sprintf("sample: the range %s has %d numbers only", r.format, r.size))
	}
	step := 7
	if r.size%step == 0 {
		step = 3
	}
	digits := fmt.Sprintf(r.format, r.from+n*step%r.size)
	head, tail, split := strings.Cut(digits, "^")
	if !split {
		return digits
	}
	return head + tail[:2] + " " + tail[2:]
}

// Ranges for fiction and the like: United States 555-0100 to 555-0199 (North American Numbering Plan Administration,
// nationalnanpa.com), United Kingdom 020 7946 0xxx and 07700 900xxx (ofcom.org.uk, numbers for drama use), Germany 030 23125
// xxx and 0171 39200 xx (bundesnetzagentur.de, Rufnummern für Medien), France 01 99 00 and 06 39 98 (arcep.fr, décision
// 2018-0881), Sweden 08-465 004 xx and 070-174 06 xx (pts.se), Australia (02) 5550 xxxx (acma.gov.au).
var (
	usNumbers = numbers{format: "+1 202 555 %04d", from: 100, size: 100, country: "+1 ", trunk: ""}
	ukMobile  = numbers{format: "+44 7700 %06d", from: 900000, size: 1000, country: "+44 ", trunk: "0"}
	ukFixed   = numbers{format: "+44 20 7946 %04d", from: 0, size: 1000, country: "+44 ", trunk: "0"}
	deMobile  = numbers{format: "+49 171 39200%02d", from: 0, size: 100, country: "+49 ", trunk: "0"}
	deFixed   = numbers{format: "+49 30 23125 %03d", from: 0, size: 1000, country: "+49 ", trunk: "0"}
	frMobile  = numbers{format: "+33 6 39 98 ^%04d", from: 1000, size: 1000, country: "+33 ", trunk: "0"}
	frFixed   = numbers{format: "+33 1 99 00 ^%04d", from: 4000, size: 1000, country: "+33 ", trunk: "0"}
	seMobile  = numbers{format: "+46 70 174 06 %02d", from: 5, size: 95, country: "+46 ", trunk: "0"}
	seFixed   = numbers{format: "+46 8 465 004 %02d", from: 0, size: 100, country: "+46 ", trunk: "0"}
	auFixed   = numbers{format: "+61 2 5550 %04d", from: 1000, size: 1000, country: "+61 ", trunk: "0"}
	abroad    = []numbers{usNumbers, ukMobile, ukFixed, deMobile, deFixed, frMobile, frFixed, seMobile, seFixed, auFixed}
)

// Where a country reserves no numbers, people have those of another one, as many do who work abroad.
var (
	unitedStates = region{"us", [][5]string{
		{"1200 Alder Street", "20009", "Washington", "District of Columbia", "United States"},
		{"48 Harbor View Road, Apt 7B", "02110", "Boston", "Massachusetts", "United States"},
		{"9 Sycamore Lane", "97205", "Portland", "Oregon", "United States"},
	}, usNumbers, usNumbers, []string{"Alder & Finch LLP", "Brightwater Logistics", "Twin Pines", "Halfmoon Coffee Roasters"}}
	unitedKingdom = region{"uk", [][5]string{
		{"17 Larch Crescent", "N1 9ZZ", "London", "Greater London", "United Kingdom"},
		{"The Old Mill, Weir Lane", "BS1 5ZZ", "Bristol", "", "United Kingdom"},
		{"3 Castle Wynd", "EH1 2ZZ", "Edinburgh", "Scotland", "United Kingdom"},
	}, ukMobile, ukFixed, []string{"Penrose Marine Ltd", "Brightwater Logistics", "Thistle & Crown", "Oakes Bindery"}}
	germany = region{"de", [][5]string{
		{"Lindenstraße 12", "10969", "Berlin", "Berlin", "Germany"},
		{"Am Sägewerk 4", "80331", "München", "Bayern", "Germany"},
		{"Große Bäckergasse 1 a", "04109", "Leipzig", "Sachsen", "Germany"},
	}, deMobile, deFixed, []string{"Großkopf & Söhne GmbH", "Nordlicht Optik AG", "Süßmilch Feinkost"}}
	france = region{"fr", [][5]string{
		{"8 bis, rue de l’Épée", "75005", "Paris", "Île-de-France", "France"},
		{"22 quai des Brumes", "69002", "Lyon", "", "France"},
	}, frMobile, frFixed, []string{"Café Méridien SARL", "Périgord Édition", "Atelier Noël"}}
	spain = region{"es", [][5]string{
		{"Calle de la Peña 5, 3º izq.", "28012", "Madrid", "Comunidad de Madrid", "Spain"},
		{"Rua da Conceição 41", "1100-153", "Lisboa", "", "Portugal"},
	}, frMobile, frFixed, []string{"Bodegas Ibáñez", "Azulejo Digital"}}
	sweden = region{"se", [][5]string{
		{"Björkgatan 3", "753 28", "Uppsala", "", "Sweden"},
		{"Kærvej 14", "8000", "Aarhus", "", "Denmark"},
		{"Håkonsgate 2", "5015", "Bergen", "", "Norway"},
	}, seMobile, seFixed, []string{"Öberg Marin AB", "Fjällräv Kartor"}}
	poland = region{"pl", [][5]string{
		{"ul. Źródlana 15/4", "31-144", "Kraków", "", "Poland"},
		{"Štěpánská 9", "110 00", "Praha", "", "Czechia"},
		{"45 Phố Huế", "100000", "Hà Nội", "", "Vietnam"},
	}, deMobile, deFixed, []string{"Żółw i Spółka", "Dvořáček s.r.o."}}
	ukraine = region{"ua", [][5]string{
		{"вул. Липова, 7, кв. 12", "01024", "Київ", "", "Україна"},
		{"ул. Роза 18", "1000", "София", "", "България"},
	}, ukMobile, ukFixed, []string{"Кобзар Друк", "ТОВ «Їжак і партнери»"}}
	greece = region{"gr", [][5]string{
		{"Οδός Ελαιώνων 21", "105 57", "Αθήνα", "", "Ελλάδα"},
		{"Λεωφόρος Νίκης 3", "546 24", "Θεσσαλονίκη", "", "Ελλάδα"},
	}, ukMobile, ukFixed, []string{"Ελαιώνας ΑΕ", "Αφοί Ξενάκη"}}
	emirates = region{"ae", [][5]string{
		{"شارع النخيل ١٢", "", "دبي", "", "الإمارات العربية المتحدة"},
		{"ص.ب. 4410", "", "أبوظبي", "", "الإمارات العربية المتحدة"},
	}, ukMobile, ukFixed, []string{"شركة النخيل للتجارة", "Dune Freight FZE"}}
	china = region{"cn", [][5]string{
		{"梧桐路88号3单元501室", "200040", "上海", "", "中国"},
		{"桜坂2丁目4-1", "106-0045", "東京", "", "日本"},
	}, usNumbers, auFixed, []string{"海燕科技有限公司", "桜文具株式会社"}}
	australia = region{"au", [][5]string{
		{"6 Wattle Parade", "2000", "Sydney", "New South Wales", "Australia"},
		{"101 Banksia Drive", "3000", "Melbourne", "Victoria", "Australia"},
	}, auFixed, auFixed, []string{"Billabong Surveying Pty Ltd", "Brightwater Logistics"}}
	regions = []region{
		unitedStates, unitedKingdom, germany, france, spain, sweden, poland, ukraine, greece, emirates, china, australia,
	}
)

// strangers are employers whom Creatio has no account for; Google's contacts name them all the same.
var strangers = []string{"Freelance", "Moonshine Pictures", "St. Elsewhere Hospital", "ACME Widgets (old)", "Gone Fishing & Co"}

// The ways in which people write a number.
func compact(number string) string { return strings.ReplaceAll(number, " ", "") }
func dotted(number string) string  { return strings.ReplaceAll(number, " ", ".") }
func doubleZero(number string) string {
	return "00" + strings.TrimPrefix(number, "+")
}

// national is a number as it is dialed within its country.
func national(number string) string {
	for _, r := range abroad {
		rest, ours := strings.CutPrefix(number, r.country)
		switch {
		case !ours:
		case r.country == usNumbers.country:
			return "(" + rest[:3] + ") " + strings.ReplaceAll(rest[4:], " ", "-")
		default:
			return r.trunk + rest
		}
	}
	return number
}
