using Spillway.Store.Rollout;

namespace Spillway.Tests.Store.Rollout;

public sealed class RolloutFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("spillway-rollout-").FullName;

    private string File => Path.Combine(_folder, RolloutFile.FileName);

    [Fact]
    public void What_is_written_is_read_again()
    {
        Assert.Empty(RolloutFile.Read(File).Value);
        RolloutRow[] rows = [Row("tiny"), Row("line-ocr")];
        Assert.Null(RolloutFile.Write(File, rows));
        Assert.Null(RolloutFile.Write(File, rows));
        var read = RolloutFile.Read(File).Value;
        Assert.Equal(rows.Select(r => r with { History = [] }), read.Select(r => r with { History = [] }));
        Assert.Equal(rows[0].History, read[0].History);
        Assert.Equal([File], Directory.GetFiles(_folder));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[null]")]
    [InlineData("[{}]")]
    [InlineData("{\"name\": 1}")]
    [InlineData("[{\"name\":\"tiny\",\"champion\":\"1\",\"challenger\":\"2\",\"phase\":\"running\",\"step\":0}]")]
    public void A_damaged_file_is_refused_with_what_to_do(string text)
    {
        System.IO.File.WriteAllText(File, text);
        var fault = RolloutFile.Read(File).Fault!;
        Assert.Equal(FaultKind.StoreFailed, fault.Kind);
        Assert.Contains(File, fault.Message, StringComparison.Ordinal);
        Assert.Contains("Mend the file, or delete it", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cut_file_and_a_name_that_is_there_twice_are_refused()
    {
        RolloutFile.Write(File, [Row("tiny")]);
        var text = System.IO.File.ReadAllText(File);
        for (var length = 0; length < text.Length - 2; length += 7)
        {
            System.IO.File.WriteAllText(File, text[..length]);
            Assert.NotNull(RolloutFile.Read(File).Fault);
        }

        RolloutFile.Write(File, [Row("tiny"), Row("tiny")]);
        Assert.Contains("twice", RolloutFile.Read(File).Fault!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_nothing_can_be_written_the_fault_says_so()
    {
        var fault = RolloutFile.Write(Path.Combine(_folder, "missing", RolloutFile.FileName), []);
        Assert.Equal(FaultKind.StoreFailed, fault!.Kind);
        Assert.Contains("would not survive a restart", fault.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static RolloutRow Row(string name) => new(
        name, "1", "2", "running", 1, "salt",
        [new(DateTimeOffset.UnixEpoch, "ann", "started", "it \"may\" be better", "1", "2", 0)]);
}
