<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ja" sourcelanguage="en">
<context>
    <name>Banner</name>
    <message>
        <source>Try again</source>
        <translation>再試行</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>閉じる</translation>
    </message>
    <message>
        <source>Close the notice</source>
        <translation>お知らせを閉じる</translation>
    </message>
</context>
<context>
    <name>ConflictsActions</name>
    <message>
        <source>Take mine again</source>
        <translation>自分の値に戻す</translation>
    </message>
    <message>
        <source>Keep theirs</source>
        <translation>相手の値のまま</translation>
    </message>
    <message>
        <source>Show decided ones</source>
        <translation>対応済みも表示</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>閉じる</translation>
    </message>
</context>
<context>
    <name>ConflictsScreen</name>
    <message>
        <source>Edits that lost</source>
        <translation>競合した変更</translation>
    </message>
    <message>
        <source>The newer change holds</source>
        <translation>新しい変更が有効です</translation>
    </message>
    <message>
        <source>Mine</source>
        <translation>自分の変更</translation>
    </message>
    <message>
        <source>Theirs</source>
        <translation>相手の変更</translation>
    </message>
    <message>
        <source>Holds now</source>
        <translation>現在の値</translation>
    </message>
    <message>
        <source>Hide decided ones</source>
        <translation>対応済みを隠す</translation>
    </message>
    <message>
        <source>Show decided ones</source>
        <translation>対応済みも表示</translation>
    </message>
    <message>
        <source>A quality engineer or an administrator decides about it.</source>
        <translation>対応は品質管理者または管理者が決めます。</translation>
    </message>
    <message>
        <source>Nothing was lost to a newer change.</source>
        <translation>競合した変更はありません。</translation>
    </message>
    <message>
        <source>person not known</source>
        <translation>担当者不明</translation>
    </message>
    <message>
        <source>time not known</source>
        <translation>日時不明</translation>
    </message>
</context>
<context>
    <name>DeadLettersActions</name>
    <message>
        <source>Send again</source>
        <translation>再送する</translation>
    </message>
    <message>
        <source>All of this cause</source>
        <translation>同じ理由をすべて再送</translation>
    </message>
    <message>
        <source>Change the value</source>
        <translation>値を直す</translation>
    </message>
    <message>
        <source>Give up…</source>
        <translation>破棄…</translation>
    </message>
    <message>
        <source>Write to a file</source>
        <translation>ファイルに書き出す</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>閉じる</translation>
    </message>
</context>
<context>
    <name>DeadLettersScreen</name>
    <message>
        <source>Refused changes</source>
        <translation>拒否された変更</translation>
    </message>
    <message>
        <source>Fields of the change</source>
        <translation>変更の項目</translation>
    </message>
    <message>
        <source>Kept here until somebody decides</source>
        <translation>対応を決めるまでここに残ります</translation>
    </message>
    <message>
        <source>Why is it given up?</source>
        <translation>破棄する理由（Enter で破棄）</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>値</translation>
    </message>
    <message>
        <source>new</source>
        <translation>新規</translation>
    </message>
    <message>
        <source>changed</source>
        <translation>変更</translation>
    </message>
    <message>
        <source>deleted</source>
        <translation>削除</translation>
    </message>
    <message>
        <source>Nothing was refused.</source>
        <translation>拒否された変更はありません。</translation>
    </message>
    <message numerus="yes">
        <source>%n later change(s) of this record wait behind it.</source>
        <translation>
            <numerusform>このレコードの後続の変更 %n 件が待っています。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Given up with it: %n more change(s) that the server could not take without it.</source>
        <translation>
            <numerusform>これと一緒に破棄されるもの：これなしではサーバーが受け取れない変更 %n 件。</numerusform>
        </translation>
    </message>
    <message>
        <source>Written to {file}</source>
        <translation>書き出し先: {file}</translation>
    </message>
    <message>
        <source>Only somebody who may change such records can send this one again.</source>
        <translation>このレコードを変更できる権限のある人だけが再送できます。</translation>
    </message>
</context>
<context>
    <name>DetailChoice</name>
    <message>
        <source>Fast</source>
        <translation>高速</translation>
    </message>
    <message>
        <source>Standard</source>
        <translation>標準</translation>
    </message>
    <message>
        <source>Fine</source>
        <translation>細かい</translation>
    </message>
    <message>
        <source>Finest</source>
        <translation>最も細かい</translation>
    </message>
    <message>
        <source>{time} ms</source>
        <translation>{time} ms</translation>
    </message>
    <message>
        <source>Finds defects from about {size} pixels; {time} ms and {memory} MB an image on this computer; training takes about {training}.</source>
        <translation>約 {size} 画素以上の欠陥を検出します。この端末では画像 1 枚あたり {time} ms、{memory} MB、学習は約 {training}です。</translation>
    </message>
</context>
<context>
    <name>Duration</name>
    <message>
        <source>%n s</source>
        <translation>%n 秒</translation>
    </message>
    <message>
        <source>%n min</source>
        <translation>%n 分</translation>
    </message>
</context>
<context>
    <name>EnrolmentScreen</name>
    <message>
        <source>Address of the server</source>
        <translation>サーバーのアドレス</translation>
    </message>
    <message>
        <source>Enrolment code</source>
        <translation>登録コード</translation>
    </message>
    <message>
        <source>Name of this station</source>
        <translation>この検査端末の名前</translation>
    </message>
    <message>
        <source>Device credential</source>
        <translation>端末の認証情報</translation>
    </message>
    <message>
        <source>given by the administrator</source>
        <translation>管理者から受け取ったコード</translation>
    </message>
    <message>
        <source>for example: line 2, station 1</source>
        <translation>例：2ライン 1号機</translation>
    </message>
    <message>
        <source>Go to sign-in without a server</source>
        <translation>サーバーなしでサインインへ進む</translation>
    </message>
    <message>
        <source>Set-up of this station</source>
        <translation>検査端末の設定</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>戻る</translation>
    </message>
    <message>
        <source>Later</source>
        <translation>後で</translation>
    </message>
    <message>
        <source>Set up anew…</source>
        <translation>新しく設定…</translation>
    </message>
    <message>
        <source>Only unsent</source>
        <translation>未送信の分のみ</translation>
    </message>
    <message>
        <source>Write this credential down</source>
        <translation>この認証情報を控えてください</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep it. It is shown this once; the station asks for it at its next start.</source>
        <translation>このコンピューターには保管できるキーリングがありません。表示は今回限りで、次の起動時に入力が必要です。</translation>
    </message>
    <message>
        <source>I have written it down</source>
        <translation>控えました</translation>
    </message>
    <message>
        <source>Give the device credential</source>
        <translation>端末の認証情報を入力してください</translation>
    </message>
    <message>
        <source>The keyring does not hold it. Inspecting works without it; synchronising waits until it is given.</source>
        <translation>キーリングに保管されていません。検査はこのまま行えますが、同期は入力されるまで待機します。</translation>
    </message>
    <message>
        <source>Where the server was made anew, or knows this station no longer, set it up anew: what is held here is shown before anything is sent.</source>
        <translation>サーバーが作り直された場合や、この端末を認識しなくなった場合は、新しく設定してください。送信する前に、ここにある内容を表示します。</translation>
    </message>
    <message>
        <source>Use it</source>
        <translation>使用する</translation>
    </message>
    <message>
        <source>This station is set up</source>
        <translation>この端末は登録済みです</translation>
    </message>
    <message>
        <source>Set this station up anew</source>
        <translation>この端末を新しく設定</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>次へ</translation>
    </message>
    <message>
        <source>What the former server had not acknowledged is sent in any case. Masters wait at the server until an administrator takes them.</source>
        <translation>以前のサーバーが受領していない分は、どちらの場合も送信されます。マスターは、管理者が受け入れるまでサーバーで待機します。</translation>
    </message>
    <message>
        <source>Send all</source>
        <translation>すべて送信</translation>
    </message>
    <message>
        <source>To the server {address}</source>
        <translation>送信先のサーバー：{address}</translation>
    </message>
    <message>
        <source>Send everything held here?</source>
        <translation>ここにあるものをすべて送信しますか？</translation>
    </message>
    <message>
        <source>Held here: parts {parts}, images {images}, files {files} ({megabytes} MB)</source>
        <translation>ここにあるもの：部品 {parts}、画像 {images}、ファイル {files}（{megabytes} MB）</translation>
    </message>
    <message>
        <source>Since {time}</source>
        <translation>最初の記録：{time}</translation>
    </message>
    <message>
        <source>Not sent yet: changes {changes}, files {files}</source>
        <translation>未送信：変更 {changes}、ファイル {files}</translation>
    </message>
    <message>
        <source>It belongs to the server {address}</source>
        <translation>接続先サーバー：{address}</translation>
    </message>
    <message>
        <source>Go to sign-in</source>
        <translation>サインインへ</translation>
    </message>
    <message>
        <source>Connect this station to its server</source>
        <translation>検査端末をサーバーに接続</translation>
    </message>
    <message>
        <source>An administrator gives you the address and a code that is good once.</source>
        <translation>アドレスと、一度だけ使える登録コードを管理者から受け取ってください。</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>接続中…</translation>
    </message>
    <message>
        <source>Connect</source>
        <translation>接続</translation>
    </message>
</context>
<context>
    <name>EvidencePanel</name>
    <message>
        <source>Part code</source>
        <translation>部品コード</translation>
    </message>
    <message>
        <source>Part code: scan or type (P)</source>
        <translation>部品コード（P）</translation>
    </message>
    <message>
        <source>Heatmap</source>
        <translation>ヒートマップ</translation>
    </message>
    <message>
        <source>Opacity of the heatmap</source>
        <translation>ヒートマップの不透明度</translation>
    </message>
    <message numerus="yes">
        <source>%n regions marked</source>
        <translation>
            <numerusform>%n か所を検出</numerusform>
        </translation>
    </message>
    <message>
        <source>Confidence {percent} %, inspected in {milliseconds} ms</source>
        <translation>信頼度 {percent} %、検査時間 {milliseconds} ms</translation>
    </message>
</context>
<context>
    <name>Field</name>
    <message>
        <source>Code</source>
        <translation>コード</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名前</translation>
    </message>
    <message>
        <source>English name</source>
        <translation>英語名</translation>
    </message>
    <message>
        <source>Japanese name</source>
        <translation>日本語名</translation>
    </message>
    <message>
        <source>Description</source>
        <translation>説明</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>バージョン</translation>
    </message>
    <message>
        <source>Criteria</source>
        <translation>判定基準</translation>
    </message>
    <message>
        <source>Position</source>
        <translation>順序</translation>
    </message>
    <message>
        <source>Required</source>
        <translation>必須</translation>
    </message>
    <message>
        <source>Severity</source>
        <translation>重大度</translation>
    </message>
    <message>
        <source>Pipeline</source>
        <translation>パイプライン</translation>
    </message>
    <message>
        <source>Parameters of the pipeline</source>
        <translation>パイプラインのパラメーター</translation>
    </message>
    <message>
        <source>Definition</source>
        <translation>定義</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>設定</translation>
    </message>
    <message>
        <source>Username</source>
        <translation>ユーザー名</translation>
    </message>
    <message>
        <source>Displayed name</source>
        <translation>表示名</translation>
    </message>
    <message>
        <source>Role</source>
        <translation>役割</translation>
    </message>
    <message>
        <source>Active</source>
        <translation>有効</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>言語</translation>
    </message>
    <message>
        <source>Lot</source>
        <translation>ロット</translation>
    </message>
    <message>
        <source>Serial number</source>
        <translation>シリアル番号</translation>
    </message>
    <message>
        <source>Status</source>
        <translation>状態</translation>
    </message>
    <message>
        <source>Verdict</source>
        <translation>判定</translation>
    </message>
    <message>
        <source>Comment</source>
        <translation>コメント</translation>
    </message>
    <message>
        <source>Created</source>
        <translation>作成</translation>
    </message>
    <message>
        <source>Changed</source>
        <translation>更新</translation>
    </message>
    <message>
        <source>Deleted</source>
        <translation>削除</translation>
    </message>
</context>
<context>
    <name>HomeActions</name>
    <message>
        <source>Start inspecting</source>
        <translation>検査を開始</translation>
    </message>
    <message>
        <source>Train the model…</source>
        <translation>モデルを学習…</translation>
    </message>
    <message>
        <source>Cancel training</source>
        <translation>学習を中止</translation>
    </message>
    <message>
        <source>Choose folder…</source>
        <translation>フォルダー選択…</translation>
    </message>
</context>
<context>
    <name>HomeScreen</name>
    <message>
        <source>Measuring what each detail takes on this computer…</source>
        <translation>細かさごとの所要時間をこの端末で測定しています…</translation>
    </message>
    <message>
        <source>Choose how fine the model sees the images, then train.</source>
        <translation>モデルが画像を見る細かさを選んでから、学習してください。</translation>
    </message>
    <message>
        <source>Target</source>
        <translation>検査対象</translation>
    </message>
    <message>
        <source>Inspection items</source>
        <translation>検査項目</translation>
    </message>
    <message>
        <source>Images come from</source>
        <translation>画像の取り込み元</translation>
    </message>
    <message>
        <source>Model from good images</source>
        <translation>良品画像からのモデル作成</translation>
    </message>
    <message>
        <source>Image source</source>
        <translation>画像ソース</translation>
    </message>
    <message>
        <source>Folder of good images</source>
        <translation>良品画像のフォルダー</translation>
    </message>
    <message>
        <source>folder of good images</source>
        <translation>良品画像のフォルダー</translation>
    </message>
    <message>
        <source>Progress of the training</source>
        <translation>学習の進み具合</translation>
    </message>
    <message>
        <source>Home</source>
        <translation>ホーム</translation>
    </message>
    <message>
        <source>Choose what to inspect, then start</source>
        <translation>検査対象を選んで開始してください</translation>
    </message>
    <message>
        <source>Choose folder</source>
        <translation>フォルダーを選択</translation>
    </message>
    <message>
        <source>model ready</source>
        <translation>モデルあり</translation>
    </message>
    <message>
        <source>no model yet</source>
        <translation>モデルなし</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>読み込み中…</translation>
    </message>
    <message>
        <source>Nothing to inspect yet. Targets come from the server with the next synchronisation.</source>
        <translation>検査対象がまだありません。次の同期でサーバーから届きます。</translation>
    </message>
    <message>
        <source>Good images are enough: 30 to begin with, 60 or more for a steadier threshold.</source>
        <translation>良品画像だけで学習できます。30 枚から始められ、60 枚以上で閾値が安定します。</translation>
    </message>
    <message numerus="yes">
        <source>Trained on %n images; threshold {threshold}.</source>
        <translation>
            <numerusform>%n 枚で学習しました。閾値 {threshold}</numerusform>
        </translation>
    </message>
    <message>
        <source>A quality engineer trains models.</source>
        <translation>モデルの学習は品質管理者が行います。</translation>
    </message>
    <message>
        <source>folder, video, watch:FOLDER, usb:0, rtsp://…, genicam:… or gige:…</source>
        <translation>フォルダー、動画、watch:フォルダー、usb:0、rtsp://…、genicam:…、gige:…</translation>
    </message>
    <message numerus="yes">
        <source>They show about %n different parts, the rest are near duplicates: the threshold is a rough estimate.</source>
        <translation>
            <numerusform>異なる部品は約 %n 個だけで、残りはほぼ同じ画像のため、閾値は大まかな推定値です。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>A false-alarm rate of {rate} % cannot be shown with fewer than %n images: a distribution is assumed.</source>
        <translation>
            <numerusform>%n 枚未満では誤検出率 {rate} % を実測できないため、分布を仮定しています。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n good images score far above the others and lift the threshold: {names}.</source>
        <translation>
            <numerusform>良品画像 %n 枚のスコアがほかより大きく離れて高く、閾値を押し上げています: {names}。</numerusform>
        </translation>
    </message>
    <message>
        <source>The images have two very different sizes or shapes: train one model for each kind of part.</source>
        <translation>画像の大きさまたは縦横比が大きく異なります。部品の種類ごとにモデルを学習してください。</translation>
    </message>
    <message numerus="yes">
        <source>%n images could not be used.</source>
        <translation>
            <numerusform>%n 枚の画像は使えませんでした。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n images were copies of others and were left out.</source>
        <translation>
            <numerusform>%n 枚の画像は他の画像と同じため除外しました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n images have transparent parts, seen on white.</source>
        <translation>
            <numerusform>%n 枚の画像に透明な部分があり、白い背景の上で見ています。</numerusform>
        </translation>
    </message>
    <message>
        <source>Images deeper than 8 bits are read with the values {range} as black to white.</source>
        <translation>8 ビットより深い画像は、値 {range} を黒から白として読み込みます。</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>中止しています…</translation>
    </message>
    <message>
        <source>Training… {percent} %</source>
        <translation>学習中… {percent} %</translation>
    </message>
    <message>
        <source>Training… {percent} %, {time} left</source>
        <translation>学習中… {percent} %、残り {time}</translation>
    </message>
    <message>
        <source>This target has no inspection item.</source>
        <translation>この検査対象には検査項目がありません。</translation>
    </message>
    <message>
        <source>A model is missing: train it from good images, or synchronise to receive it.</source>
        <translation>モデルがありません。良品画像から学習するか、同期して受け取ってください。</translation>
    </message>
    <message>
        <source>Choose where images come from.</source>
        <translation>画像の取り込み元を選んでください。</translation>
    </message>
</context>
<context>
    <name>ImageStage</name>
    <message>
        <source>anomaly</source>
        <translation>異常</translation>
    </message>
</context>
<context>
    <name>Key</name>
    <message>
        <source>Space</source>
        <translation>Space</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>Enter</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Esc</translation>
    </message>
</context>
<context>
    <name>NavigationActions</name>
    <message>
        <source>Close</source>
        <translation>閉じる</translation>
    </message>
</context>
<context>
    <name>NavigationScreen</name>
    <message>
        <source>Screens</source>
        <translation>画面一覧</translation>
    </message>
    <message>
        <source>Press a digit, or choose with the arrows and Enter</source>
        <translation>数字キーを押すか、矢印キーと Enter で選んでください</translation>
    </message>
</context>
<context>
    <name>OpenPartsActions</name>
    <message>
        <source>Go on with this part</source>
        <translation>この部品を続ける</translation>
    </message>
    <message>
        <source>Discard this part</source>
        <translation>この部品を取り消す</translation>
    </message>
    <message>
        <source>Later</source>
        <translation>後で</translation>
    </message>
</context>
<context>
    <name>OpenPartsScreen</name>
    <message>
        <source>Parts without a decision</source>
        <translation>未判定の部品</translation>
    </message>
    <message>
        <source>Left open when the station ended</source>
        <translation>前回の終了時に判定待ちのままでした</translation>
    </message>
    <message>
        <source>The AI result of these parts is stored, a decision is missing. Go on with a part where it was left, or discard it when it is not at hand any more.</source>
        <translation>これらの部品の AI 判定は保存されていますが、作業者の判定がまだです。中断したところから続けるか、部品が手元にない場合は取り消してください。</translation>
    </message>
    <message>
        <source>Somebody else began this part: only that person or a supervisor can discard it.</source>
        <translation>この部品は他の人が検査を始めました。取り消せるのは、その人か品質管理者だけです。</translation>
    </message>
    <message>
        <source>no code</source>
        <translation>コードなし</translation>
    </message>
</context>
<context>
    <name>PartsStrip</name>
    <message>
        <source>Last parts: {ok} OK, {ng} NG, {hold} HOLD</source>
        <translation>直近の部品：OK {ok}、NG {ng}、HOLD {hold}</translation>
    </message>
</context>
<context>
    <name>ReasonPanel</name>
    <message>
        <source>Comment  (C)</source>
        <translation>コメント（C）</translation>
    </message>
    <message>
        <source>Comment</source>
        <translation>コメント</translation>
    </message>
    <message>
        <source>only if it helps</source>
        <translation>必要なときだけ</translation>
    </message>
    <message>
        <source>Which defect?</source>
        <translation>不良の種類は？</translation>
    </message>
    <message>
        <source>What is wrong with it?</source>
        <translation>どこが不良ですか？</translation>
    </message>
    <message>
        <source>More ({page}/{pages})</source>
        <translation>次を表示 ({page}/{pages})</translation>
    </message>
    <message>
        <source>Why is it OK?</source>
        <translation>OK とした理由は？</translation>
    </message>
</context>
<context>
    <name>Record</name>
    <message>
        <source>Target</source>
        <translation>検査対象</translation>
    </message>
    <message>
        <source>Inspection item</source>
        <translation>検査項目</translation>
    </message>
    <message>
        <source>Pipeline</source>
        <translation>パイプライン</translation>
    </message>
    <message>
        <source>Kind of defect</source>
        <translation>欠陥の種類</translation>
    </message>
    <message>
        <source>Model file</source>
        <translation>モデルファイル</translation>
    </message>
    <message>
        <source>Release of a model</source>
        <translation>モデルのリリース</translation>
    </message>
    <message>
        <source>Stop of the line</source>
        <translation>ライン停止</translation>
    </message>
    <message>
        <source>Settings of stations</source>
        <translation>端末の設定</translation>
    </message>
    <message>
        <source>User</source>
        <translation>ユーザー</translation>
    </message>
    <message>
        <source>Inspection of a part</source>
        <translation>検査セッション</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>画像</translation>
    </message>
    <message>
        <source>AI result</source>
        <translation>AI判定</translation>
    </message>
    <message>
        <source>Human verification</source>
        <translation>人による検証</translation>
    </message>
    <message>
        <source>Entry of the audit trail</source>
        <translation>監査記録</translation>
    </message>
</context>
<context>
    <name>ScoreGauge</name>
    <message>
        <source>Anomaly score</source>
        <translation>異常スコア</translation>
    </message>
    <message>
        <source>Threshold {value}</source>
        <translation>閾値 {value}</translation>
    </message>
    <message>
        <source>Anomaly score {score}, threshold {threshold}</source>
        <translation>異常スコア {score}、閾値 {threshold}</translation>
    </message>
</context>
<context>
    <name>ScoreHistogram</name>
    <message>
        <source>Scores of good parts the model was not fitted on</source>
        <translation>学習に使っていない良品のスコア</translation>
    </message>
    <message>
        <source>Threshold {value}</source>
        <translation>閾値 {value}</translation>
    </message>
    <message>
        <source>Anomaly score</source>
        <translation>異常スコア</translation>
    </message>
    <message>
        <source>Scores of {count} good parts, {over} of them over the threshold {value}</source>
        <translation>良品 {count} 個のスコア、うち {over} 個が閾値 {value} を超過</translation>
    </message>
</context>
<context>
    <name>ShellActions</name>
    <message>
        <source>Screens</source>
        <translation>画面一覧</translation>
    </message>
    <message>
        <source>日本語</source>
        <comment>the other language, in its own script</comment>
        <translation>English</translation>
    </message>
    <message>
        <source>Light / dark</source>
        <translation>明 / 暗</translation>
    </message>
    <message>
        <source>Sign out</source>
        <translation>サインアウト</translation>
    </message>
</context>
<context>
    <name>SignInActions</name>
    <message>
        <source>Sign in</source>
        <translation>サインイン</translation>
    </message>
</context>
<context>
    <name>SignInScreen</name>
    <message>
        <source>Sign in</source>
        <translation>サインイン</translation>
    </message>
    <message>
        <source>User name</source>
        <translation>ユーザー名</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>パスワード</translation>
    </message>
    <message>
        <source>Works without the network too, for everybody who has signed in here before.</source>
        <translation>この端末でサインインしたことがあれば、ネットワークがなくても使えます。</translation>
    </message>
    <message>
        <source>This computer is not set up as a station yet. Press F1 and choose the set-up to connect it to its server.</source>
        <translation>このコンピューターはまだ検査端末として登録されていません。F1 を押して「検査端末の設定」を選び、サーバーに接続してください。</translation>
    </message>
    <message>
        <source>Signing in…</source>
        <translation>サインイン中…</translation>
    </message>
</context>
<context>
    <name>StartWindow</name>
    <message>
        <source>Opening the store…</source>
        <translation>保存先を開いています…</translation>
    </message>
    <message>
        <source>Try again  (Enter)</source>
        <translation>再試行（Enter）</translation>
    </message>
    <message>
        <source>Quit  (Esc)</source>
        <translation>終了（Esc）</translation>
    </message>
</context>
<context>
    <name>StationWindow</name>
    <message>
        <source>{name} (signed in offline)</source>
        <translation>{name}（オフラインでサインイン）</translation>
    </message>
</context>
<context>
    <name>SyncActions</name>
    <message>
        <source>Synchronise now</source>
        <translation>今すぐ同期</translation>
    </message>
    <message>
        <source>Stop exchanging</source>
        <translation>通信を中止</translation>
    </message>
    <message>
        <source>Refused changes…</source>
        <translation>拒否された変更…</translation>
    </message>
    <message>
        <source>Conflicts…</source>
        <translation>競合…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>閉じる</translation>
    </message>
</context>
<context>
    <name>SyncChip</name>
    <message>
        <source>Synchronisation</source>
        <translation>同期</translation>
    </message>
    <message>
        <source>asking…</source>
        <translation>確認中…</translation>
    </message>
    <message>
        <source>No server yet</source>
        <translation>サーバー未接続</translation>
    </message>
    <message>
        <source>Work is kept here</source>
        <translation>記録は端末に保存</translation>
    </message>
    <message>
        <source>Credential needed</source>
        <translation>認証情報が必要</translation>
    </message>
    <message>
        <source>Online</source>
        <translation>オンライン</translation>
    </message>
    <message>
        <source>Offline</source>
        <translation>オフライン</translation>
    </message>
    <message numerus="yes">
        <source>%n waiting</source>
        <translation>
            <numerusform>送信待ち %n 件</numerusform>
        </translation>
    </message>
    <message>
        <source>all sent</source>
        <translation>すべて送信済み</translation>
    </message>
    <message numerus="yes">
        <source>%n failed – see {key}</source>
        <translation>
            <numerusform>失敗 %n 件 – {key} で確認</numerusform>
        </translation>
    </message>
    <message>
        <source>Last sync {time}</source>
        <translation>最終同期 {time}</translation>
    </message>
    <message>
        <source>Not synchronised yet</source>
        <translation>未同期</translation>
    </message>
    <message>
        <source>Synchronisation: {state}</source>
        <translation>同期：{state}</translation>
    </message>
</context>
<context>
    <name>SyncProgress</name>
    <message>
        <source>{time} left</source>
        <translation>残り {time}</translation>
    </message>
    <message>
        <source>Sending records</source>
        <translation>記録を送信中</translation>
    </message>
    <message>
        <source>Receiving records</source>
        <translation>記録を受信中</translation>
    </message>
    <message>
        <source>Sending images</source>
        <translation>画像を送信中</translation>
    </message>
    <message>
        <source>Receiving models</source>
        <translation>モデルを受信中</translation>
    </message>
    <message>
        <source>Receiving everything</source>
        <translation>すべての記録を受信中</translation>
    </message>
    <message>
        <source>Comparing with the server</source>
        <translation>サーバーと照合中</translation>
    </message>
</context>
<context>
    <name>SyncScreen</name>
    <message>
        <source>Server</source>
        <translation>サーバー</translation>
    </message>
    <message>
        <source>Records that wait</source>
        <translation>送信待ちの記録</translation>
    </message>
    <message>
        <source>Images and models that wait</source>
        <translation>送信待ちの画像・モデル</translation>
    </message>
    <message>
        <source>Last success</source>
        <translation>最終成功</translation>
    </message>
    <message>
        <source>Refused by the server</source>
        <translation>サーバーが拒否した記録</translation>
    </message>
    <message>
        <source>Conflicts resolved</source>
        <translation>解決した競合</translation>
    </message>
    <message>
        <source>Last trouble</source>
        <translation>直近の問題</translation>
    </message>
    <message>
        <source>Synchronisation</source>
        <translation>同期</translation>
    </message>
    <message>
        <source>Work goes on without it; nothing that waits is lost</source>
        <translation>同期できなくても検査は続けられます。送信待ちの記録は失われません</translation>
    </message>
    <message>
        <source>Not connected to a server yet</source>
        <translation>サーバーに未接続</translation>
    </message>
    <message>
        <source>Online, exchanging now</source>
        <translation>オンライン、同期中</translation>
    </message>
    <message>
        <source>Trying to reach it…</source>
        <translation>接続しています…</translation>
    </message>
    <message>
        <source>It asks for this station&apos;s credential</source>
        <translation>この端末の認証情報が必要です</translation>
    </message>
    <message>
        <source>Online</source>
        <translation>オンライン</translation>
    </message>
    <message>
        <source>Offline</source>
        <translation>オフライン</translation>
    </message>
    <message>
        <source>Images wait on purpose: the link is paid by volume</source>
        <translation>画像は保留中です（従量課金の回線）</translation>
    </message>
    <message>
        <source>Everything waits on purpose: the link is paid by volume</source>
        <translation>すべて保留中です（従量課金の回線）</translation>
    </message>
    <message>
        <source>Images wait: the link is paid by volume</source>
        <translation>画像は待機中です（従量課金の回線）</translation>
    </message>
    <message>
        <source>None</source>
        <translation>なし</translation>
    </message>
    <message>
        <source>Since {time}</source>
        <translation>{time} から</translation>
    </message>
</context>
<context>
    <name>WorkActions</name>
    <message>
        <source>Home</source>
        <translation>ホーム</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>戻る</translation>
    </message>
    <message>
        <source>Capture</source>
        <translation>撮影</translation>
    </message>
    <message>
        <source>Hold</source>
        <translation>保留</translation>
    </message>
    <message>
        <source>Next part</source>
        <translation>次の部品</translation>
    </message>
    <message>
        <source>Comment</source>
        <translation>コメント</translation>
    </message>
    <message>
        <source>Type code</source>
        <translation>コード入力</translation>
    </message>
    <message>
        <source>Agree</source>
        <translation>同意</translation>
    </message>
    <message>
        <source>Overrule</source>
        <translation>判定修正</translation>
    </message>
    <message>
        <source>Save {verdict}</source>
        <translation>{verdict} で保存</translation>
    </message>
    <message>
        <source>Agree: {verdict}</source>
        <translation>同意：{verdict}</translation>
    </message>
    <message>
        <source>Overrule: {verdict}</source>
        <translation>修正：{verdict}</translation>
    </message>
</context>
<context>
    <name>WorkScreen</name>
    <message>
        <source>Image of the part</source>
        <translation>部品の画像</translation>
    </message>
    <message>
        <source>Inspection</source>
        <translation>検査</translation>
    </message>
    <message>
        <source>{number} of {total}</source>
        <translation>{number} / {total}</translation>
    </message>
    <message>
        <source>Live</source>
        <translation>ライブ</translation>
    </message>
    <message>
        <source>The source has no more images</source>
        <translation>画像はこれで終わりです</translation>
    </message>
    <message>
        <source>Waiting for an image…</source>
        <translation>画像を待っています…</translation>
    </message>
    <message>
        <source>no code</source>
        <translation>コードなし</translation>
    </message>
    <message>
        <source>Capture the next item</source>
        <translation>次の項目を撮影してください</translation>
    </message>
    <message>
        <source>Capture the part</source>
        <translation>部品を撮影してください</translation>
    </message>
    <message>
        <source>Scan the part&apos;s code</source>
        <translation>部品コードを読み取ってください</translation>
    </message>
    <message>
        <source>Inspecting…</source>
        <translation>検査中…</translation>
    </message>
    <message>
        <source>AI result – please decide</source>
        <translation>AI判定 – 確認してください</translation>
    </message>
    <message>
        <source>Why? Press C to comment, or Enter</source>
        <translation>理由は？ C でコメント、または Enter</translation>
    </message>
    <message>
        <source>Why? Press 1 or Enter</source>
        <translation>理由は？ 1 または Enter</translation>
    </message>
    <message>
        <source>Why? Press 1–{last} or Enter</source>
        <translation>理由は？ 1～{last} または Enter</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>保存中…</translation>
    </message>
    <message>
        <source>Stored: overruled</source>
        <translation>保存済み：判定修正</translation>
    </message>
    <message>
        <source>Stored: agreed</source>
        <translation>保存済み：同意</translation>
    </message>
    <message>
        <source>Stored: on hold</source>
        <translation>保存済み：保留</translation>
    </message>
</context>
</TS>
