using Spillway.Engine;
using Spillway.Flow;

namespace Spillway.Tests.Simulation;

/// <summary>One request of a script.</summary>
/// <param name="Id">Its name.</param>
/// <param name="At">When it arrives.</param>
/// <param name="Claim">What it asks.</param>
/// <param name="Leaves">When its caller leaves.</param>
internal sealed record Scripted(string Id, Instant At, Claim Claim, Instant? Leaves)
{
    /// <summary>Random arrivals, mixed priorities, rows, deadlines, shapes, leavers.</summary>
    /// <param name="seed">Of everything random.</param>
    /// <param name="spacing">Mean ticks between two arrivals.</param>
    /// <param name="count">How many.</param>
    /// <param name="prefix">Before the number in each name.</param>
    public static List<Scripted> Random(int seed, int spacing, int count, string prefix)
    {
        var random = new Random(seed);
        List<Scripted> script = [];
        var at = 1_000L;
        for (var i = 0; i < count; i++)
        {
            at += 1 + random.Next(0, 2 * spacing);
            var now = new Instant(at);
            var rows = random.Next(4) == 0 ? random.Next(1, 4) : 1;
            script.Add(new(
                $"{prefix}{i:D3}", now,
                new()
                {
                    Started = now, Rows = rows, Elements = rows, Priority = random.Next(0, 4),
                    Timeout = random.Next(3) == 0 ? TimeSpan.FromTicks(random.Next(20_000, 700_000)) : null,
                    Form = new([random.Next(5) == 0 ? 2 : 1]),
                },
                random.Next(6) == 0 ? now + TimeSpan.FromTicks(random.Next(100, 6 * spacing)) : null));
        }

        return script;
    }

    /// <summary>The request as the live Engine takes it.</summary>
    public Work ToWork(Door door)
    {
        var work = new Work(static _ => { });
        work.Begin(At);
        work.Door = door;
        work.Request.Id = Id;
        work.Request.Priority = Claim.Priority;
        ref var input = ref work.Request.Inputs.Add();
        (input.Type, input.Shape) = (DataType.Float32, new([Claim.Rows, 1]));
        input.Data = new byte[Claim.Rows * sizeof(float)];
        work.Claim = Claim;
        return work;
    }
}
