using System.Text;
using Spillway.Transforms.Text;

namespace Spillway.Tests.Transforms.Text;

public sealed class LabelFileTests
{
    [Theory]
    [InlineData("a\nb", false, "a|b")]
    [InlineData("a\nb\n", false, "a|b")]
    [InlineData("a\r\nb\r\n", true, "a|b| ")]
    [InlineData("\uFEFFa\n\n 会 \n", false, "a|| 会 ")]
    public void Each_line_is_a_label_as_it_stands(string file, bool spaceLast, string expected)
    {
        var labels = LabelFile.Parse(Encoding.UTF8.GetBytes(file), spaceLast, "labels").Value;
        var found = Enumerable.Range(0, labels.Count).Select(i => Encoding.UTF8.GetString(labels[i]));

        Assert.Equal(expected, string.Join('|', found));
    }

    [Fact]
    public void Files_beyond_the_limits_or_not_text_are_refused()
    {
        AssertFails([], "has 0 lines");
        AssertFails([0xff, 0xfe, 0x61], "not UTF-8");
        AssertFails(Encoding.UTF8.GetBytes("a\n" + new string('x', LabelFile.LabelBytesMax + 1)), "Line 2 of the");
        AssertFails(Encoding.UTF8.GetBytes(new string('\n', LabelFile.CountMax + 1)), "1,000,001 lines");
    }

    [Fact]
    public void A_missing_file_is_a_fault_that_names_it()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "no-such-labels.txt");
        var fault = LabelFile.Load(path, spaceLast: true).Fault!;

        Assert.Equal(FaultKind.LoadFailed, fault.Kind);
        Assert.Contains(path, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_is_read_whole()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "yes\nno\n");
            var labels = LabelFile.Load(path, spaceLast: true).Value;
            Assert.Equal(3, labels.Count);
            Assert.Null(labels.CheckClasses(3));
            Assert.Contains("gives 3 labels.", labels.CheckClasses(4)!.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void AssertFails(byte[] file, string says)
    {
        var fault = LabelFile.Parse(file, spaceLast: false, "labels").Fault!;
        Assert.Equal(FaultKind.LoadFailed, fault.Kind);
        Assert.Contains(says, fault.Message, StringComparison.Ordinal);
    }
}
