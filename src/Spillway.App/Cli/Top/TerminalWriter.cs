using System.Text;

namespace Spillway.App.Cli.Top;

/// <summary>
/// Writes pictures to a terminal from a thread of its own, so that one which does not read (Ctrl-S, a stopped pager, a
/// dead connection) holds up nobody: the newest picture waits, those between are never drawn. One owner.
/// </summary>
internal sealed class TerminalWriter : IDisposable
{
    /// <summary>How long the end waits for the terminal to take its last words.</summary>
    private static readonly TimeSpan s_leaveMax = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan s_busyPause = TimeSpan.FromMilliseconds(20);
    private const int TriesAtTheEnd = 20;
    private const int LinuxTryAgain = 11;
    private const int MacTryAgain = 35;

    private readonly ManualResetEventSlim _pause = new(initialState: false);
    private readonly Stream _output;
    private readonly string _enter;
    private readonly string _leave;
    private readonly Thread _thread;
    private readonly SemaphoreSlim _work = new(0);
    private string? _next;
    private volatile bool _ending;
    private volatile IOException? _gone;

    /// <param name="output">Closed at the end, unless it hangs in a write then.</param>
    /// <param name="enter">Written first.</param>
    /// <param name="leave">Written last.</param>
    public TerminalWriter(Stream output, string enter, string leave)
    {
        (_output, _enter, _leave) = (output, enter, leave);
        _thread = new(Run) { IsBackground = true, Name = "top screen" };
        _thread.Start();
    }

    /// <summary>Shows a picture as soon as the terminal takes it; throws when the terminal is gone.</summary>
    public void Show(string picture)
    {
        if (_gone is { } gone)
            throw new IOException(gone.Message, gone);
        Interlocked.Exchange(ref _next, picture);
        _work.Release();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ending = true;
        _work.Release();
        if (!_thread.Join(s_leaveMax))
            return;
        _output.Dispose();
        _work.Dispose();
        _pause.Dispose();
    }

    private void Run()
    {
        try
        {
            Write(_enter);
            while (!_ending)
            {
                _work.Wait();
                if (!_ending && Interlocked.Exchange(ref _next, null) is { } picture)
                    Write(picture);
            }

            Write(_leave);
        }
        catch (IOException gone)
        {
            _gone = gone;
        }
    }

    /// <summary>
    /// A terminal that was made non-blocking by whoever had it before takes what it has room for and says that it is
    /// busy: a picture begins at the corner, so it can be written again from its beginning.
    /// </summary>
    private void Write(string text)
    {
        for (var triesAtTheEnd = 0; ;)
        {
            try
            {
                _output.Write(Encoding.UTF8.GetBytes(text));
                _output.Flush();
                return;
            }
            catch (IOException busy) when (IsBusy(busy) && (!_ending || triesAtTheEnd++ < TriesAtTheEnd))
            {
                _pause.Wait(s_busyPause);
            }
        }
    }

    private static bool IsBusy(IOException fault) => fault.HResult is LinuxTryAgain or MacTryAgain;
}
