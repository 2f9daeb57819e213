using Spillway.Policies.Rates;
using Spillway.Policies.Sharing;

namespace Spillway.Tests.Policies.Sharing;

/// <summary>Tenants told apart, as many as there may be.</summary>
public sealed class TenantPartsTests
{
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(10);

    [Fact]
    public void Beyond_their_number_tenants_have_one_part_together()
    {
        var parts = new TenantParts<Part>(most: 2, s_silence);
        var (a, b) = (parts.Find("a", 3, default, out var isNew), parts.Find("b", 0, default, out _));
        Assert.True(isNew);
        var rest = parts.Find("c", 5, default, out _);
        Assert.Same(rest, parts.Find("d", 7, default, out isNew));
        Assert.False(isNew);
        Assert.Same(a, parts.Find("a", 9, default, out _));
        Assert.Equal((3, 1, 9), (a.Weight, b.Weight, parts.Weights));
        Assert.Null(parts.Known("c"));
    }

    [Fact]
    public void Who_is_silent_and_owes_nothing_is_forgotten_with_its_weight()
    {
        var parts = new TenantParts<Part>(most: 9, s_silence);
        parts.Find("gone", 0.1, default, out _);
        parts.Find("owes", 0.2, default, out _).Owes = true;
        var later = new Instant(s_silence.Ticks + 1);
        parts.Find("here", 0.3, later, out _);

        Assert.Single(parts.Forget(later, static p => !p.Owes));
        Assert.Equal(0.5, parts.Weights, precision: 12);
        Assert.Equal(2, parts.Forget(later + (2 * s_silence), static _ => true).Count);
        Assert.Equal(0, parts.Weights);
    }

    [Fact]
    public void A_place_taken_with_the_common_part_goes_back_there_though_its_tenant_has_a_part_of_its_own_since()
    {
        var places = new Places(count: 10_000, isFair: true);
        var late = new RateAsk("late", Weight: 1, Items: 1, Bytes: 1);
        for (var i = 0; i < 4096; i++)
            Assert.True(places.HasRoom(new RateAsk($"t{i}", Weight: 1, Items: 1, Bytes: 1), default));
        places.Enter(late, default);

        // All others are forgotten; it is told apart now.
        var now = new Instant(TimeSpan.TicksPerMinute);
        Assert.True(places.HasRoom(late, now));
        places.Leave("late");
        Assert.True(places.HasRoom(late, now));
        places.Enter(late, now);

        // Nothing is kept for a common part that is empty.
        Assert.Equal((1, 9_999), (places.Inside, places.LeftFor(late, now)));
    }

    private sealed class Part : TenantPart
    {
        public bool Owes { get; set; }
    }
}
