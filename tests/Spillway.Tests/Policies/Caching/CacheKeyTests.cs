using Spillway.Policies.Caching;

namespace Spillway.Tests.Policies.Caching;

public sealed class CacheKeyTests
{
    private static readonly KeyHash s_hash = KeyHash.Random();

    [Fact]
    public void A_copy_is_the_same_question_byte_for_byte() => Assert.True(Same(Picture(), Picture()));

    [Fact]
    public void Whatever_an_answer_depends_on_makes_another_question()
    {
        Assert.False(Same(Picture(), Picture(), tenant: "b"));
        Assert.False(Same(Picture(), Picture(), subject: new("tiny", "sha256:2", new("tiny", "1"))));
        Assert.False(Same(Picture(), Picture(), subject: new("tiny", "sha256:1", new("other", "1"))));
        Assert.False(Same(Picture(), Picture(), subject: new("tiny", "sha256:1", new("tiny", "2"))));
        Assert.False(Same(Picture(), Picture(), parameters: [1]));
        Assert.False(Same(Picture(), Changed(r => r.Outputs.Add(new(0, null)))));
        Assert.False(Same(Picture(), Changed(r => r.Outputs.Add(new(0, null, Classes: 3)))));
        Assert.False(Same(Picture(), Changed(r => r.Inputs[0].Port = 1)));
        Assert.False(Same(Picture(), Changed(r => r.Inputs[0].Type = DataType.Int32)));
        Assert.False(Same(Picture(), Changed(r => r.Inputs[0].Shape = new([2, 3]))));
        Assert.False(Same(Picture(), Changed(r => r.Inputs[0].Shape = new([1, 3, 2]))));
        Assert.False(Same(Picture(), Changed(r => r.Inputs[1].Data = r.Inputs[1].Data[..^1])));
    }

    [Fact]
    public void What_an_answer_does_not_depend_on_makes_none() =>
        Assert.True(Same(Picture(), Changed(r =>
        {
            (r.Id, r.Priority, r.BinaryOutputs) = ("7", 1, true);
            (r.Timeout, r.CostMax) = (TimeSpan.FromSeconds(1), new Money(5));
        })));

    [Fact]
    public void Every_byte_counts()
    {
        for (var i = 0; i < 40; i++)
        {
            var at = i;
            Assert.False(Same(Picture(), Changed(r =>
            {
                ref var input = ref r.Inputs[at < 24 ? 0 : 1];
                var data = input.Data.ToArray();
                data[at < 24 ? at : at - 24] ^= 1;
                input.Data = data;
            })));
        }
    }

    [Fact]
    public void A_byte_that_moves_from_one_input_to_the_next_makes_another_question()
    {
        Assert.False(Same(TwoParts([1, 2], [3]), TwoParts([1], [2, 3])));
        Assert.False(Same(TwoParts([], [1]), TwoParts([1], [])));
    }

    private static bool Same(
        InferenceRequest one, InferenceRequest other, string tenant = "a", CacheSubject? subject = null,
        byte[]? parameters = null)
    {
        var first = Asking.Key(one, Asking.First, "a", new byte[1024], s_hash);
        var second = Asking.Key(other, subject ?? Asking.First, tenant, new byte[1024], s_hash, parameters);
        var same = first.Equals(second.Copy());
        Assert.Equal(same, second.Equals(first.Copy()));
        Assert.Equal(same, first.Hash == second.Hash);
        Assert.Equal(second.Length, second.Copy().Length);
        return same;
    }

    private static InferenceRequest Changed(Action<InferenceRequest> change)
    {
        var request = Picture();
        change(request);
        return request;
    }

    private static InferenceRequest Picture()
    {
        var request = new InferenceRequest();
        ref var first = ref request.Inputs.Add();
        (first.Type, first.Shape) = (DataType.Float32, new([1, 6]));
        first.Data = Enumerable.Range(0, 24).Select(i => (byte)i).ToArray();
        ref var second = ref request.Inputs.Add();
        (second.Port, second.Type, second.Shape) = (1, DataType.UInt8, new([16]));
        second.Data = Enumerable.Range(50, 16).Select(i => (byte)i).ToArray();
        return request;
    }

    private static InferenceRequest TwoParts(byte[] first, byte[] second)
    {
        var request = new InferenceRequest();
        // The shapes lie: the elements alone tell these apart.
        foreach (var data in new[] { first, second })
        {
            ref var input = ref request.Inputs.Add();
            (input.Type, input.Shape, input.Data) = (DataType.UInt8, new([1]), data);
        }

        return request;
    }
}
