using Microsoft.Extensions.Primitives;
using Spillway.Protocols;

namespace Spillway.Tests.Protocols;

public sealed class ContentCodingTests
{
    [Theory]
    [InlineData("gzip", "Gzip")]
    [InlineData("GZIP", "Gzip")]
    [InlineData("x-gzip", "Gzip")]
    [InlineData("deflate", "Deflate")]
    [InlineData(" identity ", "Identity")]
    [InlineData("", "Identity")]
    public void A_body_says_how_it_is_compressed(string header, string coding) =>
        Assert.Equal(coding, ContentCodings.Read(header).Value.ToString());

    [Theory]
    [InlineData("br")]
    [InlineData("gzip, deflate")]
    [InlineData("gzip,gzip")]
    [InlineData("gzip;q=1")]
    public void What_is_unknown_or_laid_over_another_is_refused_by_name(string header)
    {
        var fault = ContentCodings.Read(header).Fault;
        Assert.Equal(FaultKind.Unsupported, fault!.Kind);
        Assert.Contains($"Content-Encoding: {header}", fault.Message, StringComparison.Ordinal);
        Assert.Contains("gzip and deflate", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_headers_are_two_encodings_and_a_long_one_is_cut()
    {
        Assert.NotNull(ContentCodings.Read(new StringValues(["gzip", "deflate"])).Fault);
        var fault = ContentCodings.Read(new string('z', 5000)).Fault;
        Assert.InRange(fault!.Message.Length, 10, 300);
    }

    [Theory]
    [InlineData("gzip", "Gzip")]
    [InlineData("deflate", "Deflate")]
    [InlineData("gzip, deflate, br", "Gzip")]
    [InlineData("deflate, gzip", "Gzip")]
    [InlineData("gzip;q=0.5, deflate", "Deflate")]
    [InlineData("gzip;q=0.499, deflate;q=0.5", "Deflate")]
    [InlineData("GZip ; Q=1.000", "Gzip")]
    [InlineData("gzip;q=0", "Identity")]
    [InlineData("gzip;q=0.000, deflate;q=0", "Identity")]
    [InlineData("*", "Gzip")]
    [InlineData("*;q=0.1, gzip;q=0", "Deflate")]
    [InlineData("*;q=0", "Identity")]
    [InlineData("identity", "Identity")]
    [InlineData("identity, gzip;q=0.9", "Identity")]
    [InlineData("identity;q=0.5, gzip;q=0.9", "Gzip")]
    [InlineData("identity;q=0.5, gzip;q=0.2, deflate;q=0.3", "Identity")]
    [InlineData("identity;q=0, gzip;q=0.001", "Gzip")]
    [InlineData("br", "Identity")]
    [InlineData("", "Identity")]
    [InlineData(",,;,", "Identity")]
    [InlineData("gzip;q=2", "Identity")]
    [InlineData("gzip;q=1.001", "Identity")]
    [InlineData("gzip;q=0.1234", "Identity")]
    [InlineData("gzip;q=", "Identity")]
    [InlineData("gzip;level=9", "Identity")]
    [InlineData("gzip;q=x, deflate", "Deflate")]
    public void An_answer_is_compressed_as_the_caller_likes_best(string header, string coding) =>
        Assert.Equal(coding, ContentCodings.Choose(header).ToString());

    [Fact]
    public void Several_headers_are_one_list() =>
        Assert.Equal(ContentCoding.Deflate, ContentCodings.Choose(new StringValues(["gzip;q=0.1", "deflate"])));

    [Fact]
    public void Choosing_allocates_nothing()
    {
        StringValues header = "br;q=0.3, gzip;q=0.5, deflate;q=0.7, *;q=0.1";
        ContentCodings.Choose(header);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            ContentCodings.Choose(header);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
