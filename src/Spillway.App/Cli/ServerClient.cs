using System.Net.Http.Headers;
using System.Text.Json;

namespace Spillway.App.Cli;

/// <summary>Talks to a running server. Every failure is a sentence that says what to do.</summary>
internal sealed class ServerClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly string _server;

    /// <summary>As the other, with the key of the environment.</summary>
    public ServerClient(string server)
        : this(new ServerPlace(server, Commands.KeyOf(null)))
    {
    }

    /// <summary>Nothing is sent yet; throws <see cref="CommandException"/> for an address that is none.</summary>
    public ServerClient(ServerPlace place)
    {
        var server = place.Address;
        if (!Uri.TryCreate(server, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new CommandException($"'{server}' is not the address of a server. Give one as in --server "
                + $"http://127.0.0.1:8000.", Commands.Usage);
        _server = server;
        _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address,
            Timeout = TimeSpan.FromMinutes(10) };
        Authorize(_http, place.Key);
    }

    /// <summary>Reads JSON; an error answer is a <see cref="CommandException"/> with the server's own words.</summary>
    public async Task<JsonElement> GetAsync(string path, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var response = await SendAsync(request, cancellation).ConfigureAwait(false);
        return await ReadAsync(response, cancellation).ConfigureAwait(false);
    }

    /// <summary>The status of an answer, whatever it is, and the warning in it; empty for none.</summary>
    public async Task<(int Status, string Warning)> StatusAsync(string path, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var response = await SendAsync(request, cancellation).ConfigureAwait(false);
        var body = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
        return ((int)response.StatusCode, Warning(body));
    }

    /// <summary>Asks for a change without a body, and reads JSON; failures as with <see cref="GetAsync"/>.</summary>
    public async Task<JsonElement> PostAsync(string path, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        using var response = await SendAsync(request, cancellation).ConfigureAwait(false);
        return await ReadAsync(response, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Asks for a change, and reads JSON also of a refusal that lists what is wrong (its member errors); other failures
    /// as with <see cref="GetAsync"/>.
    /// </summary>
    public async Task<(bool IsDone, JsonElement Answer)> TryPostAsync(string path, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        using var response = await SendAsync(request, cancellation).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
            return (true, await ReadAsync(response, cancellation).ConfigureAwait(false));
        var body = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (JsonElement.Parse(body) is { ValueKind: JsonValueKind.Object } json
                && json.TryGetProperty("errors", out _))
                return (false, json);
        }
        catch (JsonException)
        {
            // Said below.
        }

        return (false, await ReadAsync(response, cancellation).ConfigureAwait(false));
    }

    /// <summary>Posts JSON and reads JSON; failures as with <see cref="GetAsync"/>.</summary>
    public async Task<JsonElement> PostAsync(string path, byte[] body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        using var response = await SendAsync(request, cancellation).ConfigureAwait(false);
        return await ReadAsync(response, cancellation).ConfigureAwait(false);
    }

    /// <summary>Reads text, as /metrics is; failures as with <see cref="GetAsync"/>.</summary>
    public async Task<string> TextAsync(string path, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var response = await SendAsync(request, cancellation).ConfigureAwait(false);
        return response.IsSuccessStatusCode
            ? await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false)
            : throw new CommandException($"{(int)response.StatusCode} for {path}.");
    }

    /// <summary>
    /// Sends a key with every request; throws <see cref="CommandException"/> for what no header holds.
    /// </summary>
    internal static void Authorize(HttpClient http, string key)
    {
        if (key.Length == 0)
            return;
        if (key.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw new CommandException($"The key (--key or {Commands.KeyVariable}) has characters that no key has: "
                + $"copy it "
                + "again, without line ends.", Commands.Usage);
        }

        http.DefaultRequestHeaders.Authorization = new("Bearer", key);
    }

    /// <summary>Posts a raw body for a model and reads the answer's JSON.</summary>
    public async Task<(JsonElement Answer, HttpResponseHeaders Headers)> InferRawAsync(
        string model, byte[] body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/models/{Uri.EscapeDataString(model)}/infer")
        {
            Content = new ByteArrayContent(body),
        };
        request.Headers.Add("Inference-Header-Content-Length", "0");
        request.Headers.Accept.Add(new("application/json"));
        var response = await SendAsync(request, cancellation).ConfigureAwait(false);
        return (await ReadAsync(response, cancellation).ConfigureAwait(false), response.Headers);
    }

    public void Dispose() => _http.Dispose();

    private static string Warning(byte[] body)
    {
        try
        {
            return JsonElement.Parse(body) is { ValueKind: JsonValueKind.Object } json
                && json.TryGetProperty("warning", out var warning) ? warning.ToString() : "";
        }
        catch (JsonException)
        {
            return ""; // Something between here and the server answers in words of its own.
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        try
        {
            return await _http.SendAsync(request, cancellation).ConfigureAwait(false);
        }
        catch (HttpRequestException error)
        {
            throw new CommandException(
                $"No server answers at {_server} ({error.HttpRequestError}). Start one with `spillway up`, or name it "
                    + $"with --server or SPILLWAY_SERVER.");
        }
    }

    private async Task<JsonElement> ReadAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        JsonElement json;
        try
        {
            var body = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
            json = JsonElement.Parse(body);
        }
        catch (JsonException)
        {
            throw new CommandException($"{_server} answered {(int)response.StatusCode} without JSON; is it a Spillway "
                + $"or another Open Inference server?");
        }

        if (response.IsSuccessStatusCode)
            return json;
        var text = json.ValueKind is JsonValueKind.Object && json.TryGetProperty("error", out var error)
            ? error.GetString() : null;
        throw new CommandException($"{(int)response.StatusCode}: {text ?? response.ReasonPhrase}");
    }
}

/// <summary>A command cannot go on; the message is for the person who typed it.</summary>
internal sealed class CommandException(string message, int exitCode = Commands.Failed) : Exception(message)
{
    public int ExitCode => exitCode;

    /// <summary>Runs a command and turns the exception into a line on standard error and an exit code.</summary>
    public static async Task<int> GuardAsync(Func<Task<int>> command)
    {
        try
        {
            return await command().ConfigureAwait(false);
        }
        catch (CommandException error)
        {
            await Console.Error.WriteLineAsync(TerminalText.Clean(error.Message)).ConfigureAwait(false);
            return error.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return Commands.Interrupted;
        }
    }
}
