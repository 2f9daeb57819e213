using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Spillway.Hosting;

/// <summary>
/// The answer to a request without a socket: its head is there with the first flush, its body goes through a pipe that
/// stops the writer while nobody reads. Bounded by the pipe.
/// </summary>
internal sealed class InProcessAnswer : PipeWriter, IHttpResponseFeature, IHttpResponseBodyFeature,
    IHttpRequestLifetimeFeature, IDisposable
{
    /// <summary>As much as a connection holds.</summary>
    private const int HeldBytesMax = 64 * 1024;

    private readonly Pipe _pipe = new(new PipeOptions(
        pauseWriterThreshold: HeldBytesMax, resumeWriterThreshold: HeldBytesMax / 2, useSynchronizationContext: false));

    private readonly TaskCompletionSource _head = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _gone = new();
    private Stream? _stream;
    private volatile bool _isDone;

    /// <summary>Completed when status and headers stand.</summary>
    public Task Head => _head.Task;

    /// <summary>The body.</summary>
    public PipeReader Reader => _pipe.Reader;

    /// <inheritdoc/>
    public int StatusCode { get; set; } = StatusCodes.Status200OK;

    /// <inheritdoc/>
    public string? ReasonPhrase { get; set; }

    /// <inheritdoc/>
    public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

    /// <summary>Of the older interface; nothing here writes to it.</summary>
    Stream IHttpResponseFeature.Body
    {
        get => Stream;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public bool HasStarted => _head.Task.IsCompleted;

    /// <inheritdoc/>
    public Stream Stream => _stream ??= AsStream(leaveOpen: true);

    /// <inheritdoc/>
    public PipeWriter Writer => this;

    /// <inheritdoc/>
    public CancellationToken RequestAborted
    {
        get => _gone.Token;
        set => throw new NotSupportedException();
    }

    /// <summary>The caller is gone: whatever answers it stops.</summary>
    public void Abort()
    {
        if (_isDone)
            return;
        try
        {
            _gone.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended by itself.
        }

        _head.TrySetResult();
    }

    /// <summary>After <see cref="CompleteAsync(Exception?)"/>; the body can still be read.</summary>
    public void Dispose() => _gone.Dispose();

    /// <summary>Nothing more is written. A body that was not whole is an error to who reads it.</summary>
    public override ValueTask CompleteAsync(Exception? exception = null)
    {
        _isDone = true;
        _head.TrySetResult();
        return _pipe.Writer.CompleteAsync(exception ?? (_gone.IsCancellationRequested
            ? new IOException("The answer broke off.") : null));
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
    }

    /// <inheritdoc/>
    public override void Advance(int bytes) => _pipe.Writer.Advance(bytes);

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => _pipe.Writer.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => _pipe.Writer.GetSpan(sizeHint);

    /// <inheritdoc/>
    public override void CancelPendingFlush() => _pipe.Writer.CancelPendingFlush();

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        _head.TrySetResult();
        return _pipe.Writer.FlushAsync(cancellationToken.CanBeCanceled ? cancellationToken : _gone.Token);
    }

    /// <inheritdoc/>
    public void OnStarting(Func<object, Task> callback, object state)
    {
    }

    /// <inheritdoc/>
    public void OnCompleted(Func<object, Task> callback, object state)
    {
    }

    /// <inheritdoc/>
    public void DisableBuffering()
    {
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        _head.TrySetResult();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    Task IHttpResponseBodyFeature.CompleteAsync() => FlushAsync().AsTask();
}
