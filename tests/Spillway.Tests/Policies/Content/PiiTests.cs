using System.Text;
using Spillway.Policies.Content;

namespace Spillway.Tests.Policies.Content;

/// <summary>What is taken for personal data, and what is not.</summary>
public sealed class PiiTests
{
    private static string Mask(PiiKind kind, string text)
    {
        var into = new StringBuilder();
        new ContentText(ContentRules.Of([new() { Name = "p", Do = ContentAction.Mask, Pii = [kind] }])!, _ => { })
            .Take(text, isEnd: true, into);
        return into.ToString();
    }

    [Theory]
    [InlineData(PiiKind.Email, "Write to bob@mail.example.com.", "Write to [p].")]
    [InlineData(PiiKind.Email, "<a.b+c_d%e-f@x-y.co>", "<[p]>")]
    [InlineData(PiiKind.Email, "_bob@x.com, and ann@y.org!", "[p], and [p]!")]
    [InlineData(PiiKind.Email, "mail:x@münchen.de no@host @x.com a@.com a@b..com a@b.c1", null)]
    [InlineData(PiiKind.Email, "a@b.xn--p1ai", "[p]")]
    [InlineData(PiiKind.Card, "4111 1111 1111 1111", "[p]")]
    [InlineData(PiiKind.Card, "4111-1111-1111-1111,", "[p],")]
    [InlineData(PiiKind.Card, "no 378282246310005.", "no [p].")]
    [InlineData(PiiKind.Card, "1234 4111 1111 1111 1111", "1234 [p]")]
    [InlineData(PiiKind.Card, "4111111111111111USD", "[p]USD")]
    [InlineData(PiiKind.Card, "4111 1111 1111 1112", null)]
    [InlineData(PiiKind.Card, "41111111111111110000000000", null)]
    [InlineData(PiiKind.Card, "0000 0000 0000 0000", null)]
    [InlineData(PiiKind.Iban, "DE89 3704 0044 0532 0130 00", "[p]")]
    [InlineData(PiiKind.Iban, "to GB82WEST12345698765432, please", "to [p], please")]
    [InlineData(PiiKind.Iban, "gb82 west 1234 5698 7654 32", "[p]")]
    [InlineData(PiiKind.Iban, "DE88 3704 0044 0532 0130 00", null)]
    [InlineData(PiiKind.Iban, "XX89 3704 0044 0532 0130 00", null)]
    [InlineData(PiiKind.Iban, "DE89 3704 0044 0532 0130 001", null)]
    [InlineData(PiiKind.Ssn, "078-05-1120", "[p]")]
    [InlineData(PiiKind.Ssn, "078 05 1120;", "[p];")]
    [InlineData(PiiKind.Ssn, "000-05-1120 666-05-1120 912-05-1120 078-00-1120 078-05-0000 078-05 1120", null)]
    [InlineData(PiiKind.Ssn, "1078-05-1120 078-05-11201", null)]
    [InlineData(PiiKind.Ip, "at 192.0.2.17:8080, and 10.0.0.1.", "at [p]:8080, and [p].")]
    [InlineData(PiiKind.Ip, "data:192.0.2.17", "data:[p]")]
    [InlineData(PiiKind.Ip, "2001:db8::8a2e:370:7334", "[p]")]
    [InlineData(PiiKind.Ip, "[fe80::1ff:fe23:4567]:80", "[[p]]:80")]
    [InlineData(PiiKind.Ip, "256.1.1.1 1.2.3 1.2.3.4.5 12:30:45 std::vector a::b ::1", null)]
    [InlineData(PiiKind.Phone, "+49 30 1234567", "[p]")]
    [InlineData(PiiKind.Phone, "Call (555) 123-4567 now", "Call [p] now")]
    [InlineData(PiiKind.Phone, "555.123.4567, 1-555-123-4567", "[p], [p]")]
    [InlineData(PiiKind.Phone, "0049 30 1234567 or 030 12345678", "[p] or [p]")]
    [InlineData(PiiKind.Phone, "06 12 34 56 78", "[p]")]
    [InlineData(PiiKind.Phone, "01.02.2024 10:30, 2024-01-02, 12345678901, 3.14159265358, 10 000 000", null)]
    public void Is_masked_or_left(PiiKind kind, string text, string? masked) =>
        Assert.Equal(masked ?? text, Mask(kind, text));
}
