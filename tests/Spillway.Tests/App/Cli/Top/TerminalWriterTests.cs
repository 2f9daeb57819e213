using System.Text;
using Spillway.App.Cli.Top;
using Spillway.Tests.Server;

namespace Spillway.Tests.App.Cli.Top;

public sealed class TerminalWriterTests
{
    [Fact]
    public void What_is_shown_stands_between_the_first_and_the_last_words()
    {
        var terminal = new Terminal();
        using (var writer = new TerminalWriter(terminal, "<", ">"))
        {
            writer.Show("a");
            Assert.True(SpinWait.SpinUntil(() => terminal.Text == "<a", TestServer.Patience));
            writer.Show("b");
            Assert.True(SpinWait.SpinUntil(() => terminal.Text == "<ab", TestServer.Patience));
        }

        Assert.Equal("<ab>", terminal.Text);
    }

    [Fact]
    public void A_terminal_that_reads_nothing_holds_up_neither_pictures_nor_the_end_and_gets_the_newest_afterwards()
    {
        var terminal = new Terminal();
        terminal.Reads.Reset();
        using (var writer = new TerminalWriter(terminal, "<", ">"))
        {
            for (var i = 0; i < 1000; i++)
                writer.Show($"{i} ");
            terminal.Reads.Set();
            Assert.True(SpinWait.SpinUntil(() => terminal.Text == "<999 ", TestServer.Patience));
            terminal.Reads.Reset();
            writer.Show("never");
        }

        terminal.Reads.Set();
    }

    [Fact]
    public void A_terminal_that_is_gone_is_an_error_of_the_next_picture()
    {
        var terminal = new Terminal { IsGone = true };
        using var writer = new TerminalWriter(terminal, "<", ">");
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                try
                {
                    writer.Show("a");
                    return false;
                }
                catch (IOException)
                {
                    return true;
                }
            }, TestServer.Patience));
    }

    private sealed class Terminal : MemoryStream
    {
        private readonly StringBuilder _text = new();

        public ManualResetEventSlim Reads { get; } = new(initialState: true);

        public bool IsGone { get; init; }

        public string Text
        {
            get
            {
                lock (_text)
                    return _text.ToString();
            }
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (IsGone)
                throw new IOException("Broken pipe");
            Reads.Wait();
            lock (_text)
                _text.Append(Encoding.UTF8.GetString(buffer));
        }
    }
}
