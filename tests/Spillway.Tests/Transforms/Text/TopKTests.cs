using Spillway.Transforms.Text;

namespace Spillway.Tests.Transforms.Text;

public sealed class TopKTests
{
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Agrees_with_sorting_everything_and_ties_go_to_the_lower_class(int seed)
    {
        var random = new Random(seed);
        var scores = new float[random.Next(1, 300)];
        for (var i = 0; i < scores.Length; i++)
            scores[i] = random.Next(seed % 2 == 0 ? 10 : 100_000) / 7f;
        var k = random.Next(1, scores.Length + 1);
        var (best, values) = (new int[k], new float[k]);

        Assert.Null(TopK.Select(scores, softmax: false, best, values));

        var sorted = Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i]).ThenBy(i => i);
        var expected = sorted.Take(k).ToArray();
        Assert.Equal(expected, best);
        Assert.Equal(expected.Select(i => scores[i]), values);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Softmax_is_taken_over_all_classes(int seed)
    {
        var random = new Random(seed);
        var scores = new float[random.Next(1, 700)];
        for (var i = 0; i < scores.Length; i++)
            scores[i] = (random.NextSingle() * 20) + 1000;
        var (best, values) = (new int[1], new float[1]);

        Assert.Null(TopK.Select(scores, softmax: true, best, values));

        var sum = scores.Sum(score => Math.Exp(score - (double)scores.Max()));
        Assert.Equal(1 / sum, values[0], 1e-5);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_score_that_is_no_number_is_named(float bad)
    {
        var fault = TopK.Select([1, 2, bad, 4], softmax: true, new int[2], new float[2]);

        Assert.Equal(FaultKind.RuntimeFailed, fault!.Kind);
        Assert.Contains("class 2", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_than_there_are_is_a_bug_of_the_caller()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => TopK.Select([1f], false, new int[2], new float[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => TopK.Select([1f], false, [], []));
    }

    [Fact]
    public void Selecting_allocates_nothing()
    {
        var scores = new float[1000];
        for (var i = 0; i < scores.Length; i++)
            scores[i] = i;
        var (best, values) = (new int[5], new float[5]);
        Assert.Null(TopK.Select(scores, softmax: true, best, values));

        var before = GC.GetAllocatedBytesForCurrentThread();
        var fault = TopK.Select(scores, softmax: true, best, values);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Null(fault);
        Assert.Equal([999, 998, 997, 996, 995], best);
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 40)];
}
