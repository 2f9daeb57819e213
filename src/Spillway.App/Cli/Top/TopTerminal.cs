using System.Text;
using System.Threading.Channels;
using Microsoft.Win32.SafeHandles;

namespace Spillway.App.Cli.Top;

/// <summary>
/// The terminal itself: its size, its keys, its screen. Takes the other screen over while it lives and gives it back,
/// also after Ctrl-C.
/// </summary>
internal sealed class TopTerminal : IDisposable
{
    private const int KeysMax = 64;
    private const int WidthMax = 500;
    private const int HeightMax = 300;
    private const int WidthOtherwise = 80;
    private const int HeightOtherwise = 24;

    private readonly TerminalWriter _writer;
    private readonly Channel<ConsoleKeyInfo> _keys = Channel.CreateBounded<ConsoleKeyInfo>(
        new BoundedChannelOptions(KeysMax) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly bool _colours;

    public TopTerminal()
    {
        _colours = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        _writer = new(Output(), AnsiText.Enter, AnsiText.Leave);
        // Reading a key blocks, so it has a thread; nobody waits for it at the end.
        if (!Console.IsInputRedirected)
            new Thread(ReadKeys) { IsBackground = true, Name = "top keys" }.Start();
    }

    /// <summary>Keys pressed, in order; those that come faster than they are handled are lost.</summary>
    public ChannelReader<ConsoleKeyInfo> Keys => _keys.Reader;

    /// <summary>Whether this process has a screen of its own to draw on.</summary>
    public static bool IsThere => !Console.IsOutputRedirected
        && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    /// <summary>Whether block characters arrive as such.</summary>
    public static bool Unicode => Console.OutputEncoding.CodePage == Encoding.UTF8.CodePage;

    /// <summary>Columns and rows now.</summary>
    public static (int Width, int Height) Size()
    {
        try
        {
            var (width, height) = (Console.WindowWidth, Console.WindowHeight);
            return (width < 1 ? WidthOtherwise : Math.Min(width, WidthMax),
                height < 1 ? HeightOtherwise : Math.Min(height, HeightMax));
        }
        catch (IOException)
        {
            return (WidthOtherwise, HeightOtherwise);
        }
    }

    /// <summary>Shows a picture.</summary>
    public void Show(TextGrid grid) => _writer.Show(AnsiText.Paint(grid, _colours));

    public void Dispose() => _writer.Dispose();

    /// <summary>
    /// Not the console's own stream: while that hangs in a write it holds a lock that asking for the window's size
    /// takes too.
    /// </summary>
    private static Stream Output()
    {
        const int StandardOutput = 1;
        return OperatingSystem.IsWindows() ? Console.OpenStandardOutput()
            : new FileStream(new SafeFileHandle(StandardOutput, ownsHandle: false), FileAccess.Write, bufferSize: 0);
    }

    private void ReadKeys()
    {
        try
        {
            while (_keys.Writer.TryWrite(Console.ReadKey(intercept: true)))
            {
            }
        }
        catch (Exception gone) when (gone is InvalidOperationException or IOException)
        {
            _keys.Writer.TryComplete();
        }
    }
}
