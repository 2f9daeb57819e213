using System.Net.Http.Headers;
using Spillway.Client;

namespace Spillway.Extensions.AI;

/// <summary>Posts to a server's OpenAI paths. Thread-safe.</summary>
internal sealed class RouteCalls : IDisposable
{
    private static readonly MediaTypeHeaderValue s_json = new("application/json");

    private readonly HttpMessageInvoker _http;
    private readonly string _key;

    /// <summary>Makes one; the handler stays its owner's.</summary>
    public RouteCalls(HttpMessageHandler handler, Uri? address, string key)
    {
        ArgumentNullException.ThrowIfNull(handler);
        (_http, _key) = (new(handler, disposeHandler: false), key);
        Address = address ?? new("http://spillway.invalid/v1/");
        if (!Address.IsAbsoluteUri || !Address.AbsolutePath.EndsWith('/'))
            throw new ArgumentException(
                $"'{address}' is not an address such as http://127.0.0.1:8000/v1/.", nameof(address));
    }

    /// <summary>Where the paths begin.</summary>
    public Uri Address { get; }

    /// <summary>The handler stays.</summary>
    public void Dispose() => _http.Dispose();

    /// <summary>An answer that is a success, its body not yet read; else an <see cref="InferenceException"/>.</summary>
    public async Task<HttpResponseMessage> PostAsync(string path, byte[] body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Address, path))
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = s_json } },
        };
        if (_key.Length > 0)
            request.Headers.Authorization = new("Bearer", _key);
        var response = await _http.SendAsync(request, cancellation).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
        {
            var words = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
            throw InferenceException.Of(response, words);
        }
    }
}
